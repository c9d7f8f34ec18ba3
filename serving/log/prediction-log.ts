import { type Answers, type Batch, type Label, type ServedModel } from '../model/served-model';

/** The answer to one request, to be kept. */
export interface LoggedPrediction {
  /** Epoch ms. */
  at: number;
  requestId: string;
  /** That the model's name and version name it by. */
  modelName: string;
  modelVersion: string;
  /** Which of the models answered the caller, or only listened. */
  role: 'production' | 'canary' | 'shadow';
  model: ServedModel;
  batch: Batch;
  answers: Answers;
  /** From the request's arrival to its answer. */
  latencyMs?: number;
}

/** Counts since the start. */
export interface LogStatus {
  /** Rows that are in a file. */
  written: number;
  /** Rows that came while the queue was full, or that could not be written. */
  dropped: number;
  /** Rows that wait. */
  queued: number;
}

/** Keeps predictions, and what turned out to be true. Nobody waits for it. */
export interface PredictionLog {
  /** Puts it into the queue, and returns at once; a full queue drops and counts it. */
  add(prediction: LoggedPrediction): void;
  /**
   * The true label of a request, or of one row of it.
   *
   * @returns false when the queue is full
   */
  feedback(requestId: string, row: number, label: Label): boolean;
  status(): LogStatus;
  /** Writes what waits, and ends. */
  close(): Promise<void>;
}
