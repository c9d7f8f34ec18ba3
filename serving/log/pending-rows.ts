import { type Label } from '../model/served-model';

// What the request path hands to the writer's thread: columns, in typed arrays where they can be.

/** A column of the model, as it was sent; a missing number is NaN, a missing text null. */
export type PendingColumn =
  | { kind: 'number'; name: string; values: Float64Array }
  | { kind: 'text'; name: string; values: (string | null)[] };

/** `[n]` what the model answered. */
export type PendingOutcome =
  | { kind: 'label'; classes: readonly Label[]; codes: Int32Array; probability: Float64Array }
  | { kind: 'value'; values: Float64Array };

export const ROLES = ['production', 'canary', 'shadow'] as const;

/** Predictions of one model version on one day: m requests of n rows in all. */
export interface PendingRows {
  /** `2026-03-09`, UTC. */
  day: string;
  modelName: string;
  modelVersion: string;
  rows: number;
  /** `[m]` epoch ms. */
  at: Float64Array;
  /** `[m]` ms; NaN: not told. */
  latency: Float64Array;
  /** `[m]` */
  requestIds: string[];
  /** `[m]` index into `ROLES`. */
  roles: Uint8Array;
  /** `[m]` rows of each request. */
  counts: Int32Array;
  outcome: PendingOutcome;
  columns: PendingColumn[];
}

/** True labels, as they came. */
export interface PendingLabel {
  /** Epoch ms. */
  at: number;
  requestId: string;
  row: number;
  label: Label;
}

/** To the thread: all that waited. */
export interface WriteOrder {
  kind: 'write' | 'close';
  /** Epoch ms. */
  now: number;
  predictions: PendingRows[];
  labels: PendingLabel[];
}

/** From the thread, one for each order. */
export interface WriteReport {
  written: number;
  dropped: number;
  /** Why rows were lost, or why the folder could not be put in order; null: all is well. */
  trouble: string | null;
  judged: {
    modelName: string;
    modelVersion: string;
    rows: number;
    right: number;
    squaredError: number;
  }[];
}

/** What the thread is told when it starts. */
export interface ThreadData {
  dir: string;
  retentionDays: number;
}
