/**
 * `import { loadModel } from 'retrain/predict'`: a model of the registry, or of a folder, in your own process. Documented in docs/serving.md.
 */
import { homedir } from 'node:os';
import path from 'node:path';
import { RetrainError } from '../contracts/errors';
import { mlflowSettings } from '../integrations/mlflow/settings';
import { publicKeyOf } from '../integrations/signing/public-key';
import { decisionOf } from './model/decision';
import { expectedText } from './model/mistake-text';
import { openReference } from './model/open-reference';
import { ruleOf } from './model/signals';
import { type Answers, type Label, type ModelField, type ServedModel } from './model/served-model';

export { RetrainError } from '../contracts/errors';
export { readPredictions, type PredictionQuery, type PredictionRow } from './log/read-predictions';
export type { FieldType, Label, ModelField } from './model/served-model';

export interface LoadOptions {
  /** The MLflow server; default: MLFLOW_TRACKING_URI, else `http://127.0.0.1:5000`. Credentials come from the environment, as MLflow's own. */
  trackingUri?: string;
  /** Where copies are kept, which are used while MLflow is away; default: `$XDG_CACHE_HOME/retrain/serving`. */
  cacheDir?: string;
  /** The public key of the models' signatures, in PEM or a file's name; default: RETRAIN_SIGNING_PUBLIC_KEY. With one, a model must be signed. */
  publicKey?: string;
  /** Column by another name that your rows have for it. */
  aliases?: Readonly<Record<string, string>>;
  /** Ends the loading. */
  signal?: AbortSignal;
}

/** What a model says of one row. */
export interface Prediction {
  /** The most probable class, in the type of the target's own column; of a regression the value, in the target's unit. */
  prediction: Label;
  /** Of what is predicted; null: a regression, or a model without probabilities. */
  probability: number | null;
  /** In the order of `LoadedModel.classes`; null likewise. */
  probabilities: readonly number[] | null;
  /** The class by the cut-off that the evaluation chose, which may differ from `prediction`, or what `signal` says of a value: buy, hold or sell; null where there is neither. */
  decision: Label | null;
}

/** A row: column → value; a missing one is null. */
export type Row = Readonly<Record<string, string | number | boolean | null>>;

export interface LoadedModel {
  /** Null: a model of a folder. */
  readonly name: string | null;
  /** Null: a model of a folder. */
  readonly version: string | null;
  /** False: MLflow did not answer, and this is what the reference last stood for. */
  readonly fresh: boolean;
  readonly task: 'classification' | 'regression';
  /** The columns that it takes. */
  readonly fields: readonly ModelField[];
  /** Empty for a regression. */
  readonly classes: readonly Label[];
  /** The cut-off that the evaluation chose: `positive` is the answer from this probability of it on. */
  readonly cutoff: { readonly positive: Label; readonly threshold: number } | null;
  /** Of a regression: it says buy where the prediction is the share `buy` above the column `from` or more, sell by `sell`. */
  readonly signal: { readonly from: string; readonly buy: number; readonly sell: number } | null;
  /**
   * Answers rows, in their order. What Python's `mlflow.pyfunc` answers to the same rows, to 1e-6.
   *
   * @throws RetrainError DATA_INVALID that names each field that the model does not take
   */
  predict(rows: readonly Row[]): Promise<Prediction[]>;
  /** Lets its memory, and a child process, go. */
  close(): Promise<void>;
}

const DEFAULT_MLFLOW_URI = 'http://127.0.0.1:5000';

/**
 * Loads a model: `iris-classifier@production`, `iris-classifier@3`, `models:/iris-classifier/3`, or the folder of one. Its files are
 * held against their provenance and, with a key, its signature first.
 *
 * @throws RetrainError NOT_FOUND, DATA_NOT_FOUND, MLFLOW_UNREACHABLE, VERIFICATION_FAILED, MODEL_INVALID, CONFIG_INVALID
 */
export async function loadModel(model: string, options: LoadOptions = {}): Promise<LoadedModel> {
  const { env } = process;
  const mlflow = mlflowSettings(
    options.trackingUri === undefined ? env : { ...env, MLFLOW_TRACKING_URI: options.trackingUri },
    DEFAULT_MLFLOW_URI,
  );
  const cache = env['XDG_CACHE_HOME'] || path.join(homedir(), '.cache');
  const base = process.cwd();
  const key = options.publicKey ?? env['RETRAIN_SIGNING_PUBLIC_KEY'];
  const publicKey = publicKeyOf(
    key,
    options.publicKey === undefined ? 'RETRAIN_SIGNING_PUBLIC_KEY' : 'publicKey',
    base,
  );
  const shelf = { mlflow, dir: path.resolve(options.cacheDir ?? path.join(cache, 'retrain', 'serving')) };
  const signal = options.signal ?? new AbortController().signal;
  const opened = await openReference(model, base, shelf, {
    ...{ publicKey, signal },
    ...(options.aliases === undefined ? {} : { aliases: options.aliases }),
  });
  const { model: served, registered } = opened;
  return {
    name: registered?.name ?? null,
    version: registered?.version ?? null,
    fresh: registered?.fresh ?? true,
    task: served.task,
    fields: served.fields,
    classes: served.classes,
    cutoff: served.cutoff,
    signal: ruleOf(served),
    predict: async (rows) => {
      const read = served.read(rows);
      if ('mistakes' in read) throw new RetrainError('DATA_INVALID', expectedText(read.mistakes));
      return predictionsOf(await served.score(read.batch), served, rows.length);
    },
    close: () => served.close(),
  };
}

const NO_PROBABILITIES = { probability: null, probabilities: null, decision: null } as const;

function predictionsOf(
  { labels, probabilities, values, signals }: Answers,
  model: ServedModel,
  rows: number,
): Prediction[] {
  const { classes } = model;
  const count = classes.length;
  const decision = decisionOf(model);
  return Array.from({ length: rows }, (_, row): Prediction => {
    if (values !== null)
      return { prediction: values[row]!, ...NO_PROBABILITIES, decision: signals?.[row] ?? null };
    const prediction = labels![row]!;
    if (probabilities === null) return { prediction, ...NO_PROBABILITIES };
    const own = [...probabilities.subarray(row * count, (row + 1) * count)];
    return {
      prediction,
      probability: own[classes.indexOf(prediction)] ?? null,
      probabilities: own,
      decision: decision === null ? null : decision.of(own[decision.positive]!),
    };
  });
}
