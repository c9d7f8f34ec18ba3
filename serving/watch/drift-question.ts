import { type DriftReport } from '../../contracts/drift';
import { type DriftParams } from '../../contracts/drift-params';
import { type ContentStore } from '../../integrations/dvc/content-store';
import { type ObjectStorage } from '../../integrations/files/object-storage';
import { type Mlflow } from '../../integrations/mlflow/client';
import { type ReadingRules } from '../../ml/dataset/csv-format';
import { type ModelShelf } from '../../pipeline/model/fetch-model';

/** What a check of drift works with. */
export interface DriftDeps {
  /** The project's folder, absolute. */
  project: string;
  mlflow: Mlflow;
  /** Where the training rows are looked for. */
  store: ContentStore;
  /** Where they are fetched from when they are not there; null: the project has no remote. Opened only then. */
  remote: () => Promise<{ name: string; storage: ObjectStorage } | null>;
  /** Registered models, and the folder of their copies. */
  shelf: ModelShelf;
  /** The public key of the models' signatures, in PEM; null: they are not checked. */
  publicKey: string | null;
  /** Folder of the prediction log, absolute. */
  predictions: string;
}

/** Rows of the prediction log from one moment on and before another. */
export interface LoggedRows {
  source: 'log';
  from: Date;
  to: Date;
}

/** A table: what `retrain predict` reads. */
export interface TableRows {
  source: 'data';
  /** File or folder, absolute. */
  path: string;
  /** Its name in the report and in messages, as it was given. */
  shown: string;
  /** Which files of a folder; absent: all. */
  pattern?: string | undefined;
  /** How it is written, as far as somebody says so; in all else as the model's training data was. */
  rules?: ReadingRules | undefined;
  /** Column of the model by another name in the table. */
  aliases?: Readonly<Record<string, string>> | undefined;
}

/** Whether rows of now still look like those that a model version was trained on. */
export interface DriftQuestion {
  /** `iris-classifier@production`, `iris-classifier@3` */
  model: string;
  current: LoggedRows | TableRows;
  /** `drift` of params.yaml; its `window` has become `current`. */
  params: DriftParams;
}

export interface DriftWatch {
  signal: AbortSignal;
  /** What is being done: `reading the log`, and how many rows of it so far. */
  onProgress?: ((phase: string, done?: number) => void) | undefined;
}

/**
 * Holds rows of now against the training rows of a model version; `checkDrift` is this. Reads only. The same question of the same rows has the same
 * answer: nothing looks at a clock.
 */
export type CheckDrift = (
  deps: DriftDeps,
  question: DriftQuestion,
  watch: DriftWatch,
) => Promise<DriftReport>;
