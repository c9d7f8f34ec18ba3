/** How a prediction log is kept. */
export interface PredictionLogOptions {
  /** Folder of the log; several processes may share it. Made if need be, for its owner only. */
  dir: string;
  /** Whole days that are kept beside today, UTC; older ones are removed. Default 30. */
  retentionDays?: number;
  /** Share of the requests that are kept, above 0 to 1; the same ones in every process, by their request id. Default 1. */
  sample?: number;
  /** Columns of the model that are never written. */
  exclude?: readonly string[];
  /** How long a prediction waits at most before it is on its way to a file, in ms. Default 1000. */
  flushMs?: number;
  /** Rows that may wait; what comes beyond is dropped and counted. Default 100,000. */
  queueRows?: number;
  /** Bytes that may wait, likewise. Default 32 MiB. */
  queueBytes?: number;
  /** Is told, in one line, when rows begin to be lost and when they no longer are. */
  onNotice?: (line: string) => void;
  /** Is told of predictions whose true label came. */
  onJudged?: (judged: Judged) => void;
  /** The clock, epoch ms; default: the machine's. */
  now?: () => number;
}

/** Predictions of one model version whose true label came. */
export interface Judged {
  modelName: string;
  modelVersion: string;
  /** Predictions with a true label. */
  rows: number;
  /** Classification: those that were right. */
  right: number;
  /** Regression: sum of squared differences, in the target's unit squared; where both are numbers. */
  squaredError: number;
}

export const DEFAULT_RETENTION_DAYS = 30;
export const DEFAULT_FLUSH_MS = 1000;
export const DEFAULT_QUEUE_ROWS = 100_000;
export const DEFAULT_QUEUE_BYTES = 32 << 20;
