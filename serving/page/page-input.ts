import { type LedgerEntry } from '../../contracts/steward';
import { type ModelField } from '../model/served-model';

/** A registered version, as the page lists it. */
export interface ListedVersion {
  version: string;
  aliases: readonly string[];
  /** Epoch ms. */
  createdAt: number;
  /** Of the held-out rows; as its tag says. */
  testAccuracy: string | null;
  /** Why it was promoted, or not. */
  reason: string | null;
}

/** Versions and moves of a model, newest first; null: MLflow did not tell. */
export interface ModelHistory {
  versions: readonly ListedVersion[];
  moves: readonly LedgerEntry[];
}

/** What the page shows of the model in production. */
export interface PageModel {
  name: string;
  version: string;
  alias: string | null;
  task: 'classification' | 'regression';
  engine: string;
  runId: string | null;
  dataHash: string | null;
  gitCommit: string | null;
  signed: 'valid' | 'unchecked' | 'no';
  /** Epoch ms. */
  loadedAt: number;
  metrics: Readonly<Record<string, number>>;
  fields: readonly ModelField[];
  /** A row to begin with; empty: there is none. */
  example: Readonly<Record<string, unknown>>;
  /** Page of the version in MLflow's UI; null: not known. */
  link: string | null;
}

/** All that the page shows. What is in it may be a stranger's. */
export interface PageInput {
  model: PageModel | null;
  state: LiveState;
  history: ModelHistory | null;
}

/** What changes from second to second; `/ui/live.json`. */
export interface LiveState {
  /** `Healthy` */
  words: string;
  /** What is wrong; null: nothing. */
  why: string | null;
  version: string | null;
  /** Counts since the start; null: not known. */
  figures: Readonly<Record<Figure, number | null>>;
  /** Rows by class since this version was loaded. */
  classes: Readonly<Record<string, number>>;
}

export const FIGURES = {
  requests: 'requests answered',
  rows: 'rows by this version',
  waiting: 'waiting for a model',
  logged: 'predictions logged',
  dropped: 'not logged',
  reloads: 'versions loaded',
} as const;
export type Figure = keyof typeof FIGURES;
