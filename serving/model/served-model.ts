import { type Signal, type SignalRule } from '../../contracts/signal';
import { type Column } from '../../ml/dataset/raw-table';

/**
 * How a cell of a column is written in JSON: `number` and `integer` only as finite numbers, `text` as a text, or, as its digits would be,
 * as a whole number.
 */
export type FieldType = 'number' | 'integer' | 'text' | 'boolean';

/** One column that a model takes, by its signature. */
export interface ModelField {
  name: string;
  type: FieldType;
  /** A row may leave it out. */
  optional: boolean;
  /** A row may say null: the value is missing. So may one that leaves it out where it is optional. */
  nullable: boolean;
  /** Texts that the model was trained on, in its order; null: not known. */
  levels: readonly string[] | null;
  /** Largest amount of a number; default: that of float32. */
  largest?: number;
}

/** A class as Python's `predict` answers it: in the type of the target's own column. */
export type Label = string | number | boolean;

/** A cell of a row that the model does not take. */
export interface FieldMistake {
  /** Index of the row in what was sent. */
  row: number;
  /** The column, as it was sent. */
  field: string;
  /** What was there, bounded and quoted; `nothing` where it is lacking. */
  seen: string;
  /** What should be there. */
  expected: string;
}

/** Rows that a model takes: a column for each field, in their order. */
export interface Batch {
  rows: number;
  columns: readonly Column[];
}

/** What a model answers to a batch of n rows; what it does not give is null. */
export interface Answers {
  /** `[n]` the most probable class of each row. */
  labels: readonly Label[] | null;
  /** `[n, K]`, K classes in the order of `ServedModel.classes`. */
  probabilities: Float64Array | null;
  /** `[n]`, in the target's unit. */
  values: Float64Array | null;
  /** `[n]` what the values say to do, of a model with a rule; null: nothing. */
  signals?: readonly (Signal | null)[];
}

/** A model that answers: one directory of the registry, opened. */
export interface ServedModel {
  readonly task: 'classification' | 'regression';
  readonly fields: readonly ModelField[];
  /** Classes, in the target's own type; empty for regression. */
  readonly classes: readonly Label[];
  /** The cut-off that the evaluation chose: `positive` is answered from this probability of it on. */
  readonly cutoff: { positive: Label; threshold: number } | null;
  /** What a value says to do: `decision` of a regression; null: the model has no such rule. */
  readonly signal: SignalRule | null;
  /** Which engine answers. */
  readonly engine: 'forest' | 'onnxruntime';
  /**
   * Reads rows as JSON gives them, `{column: value}` each. Names that differ only in case, `-`, `_` or spaces are taken for the column
   * where that is unambiguous, and so are the aliases that the model was opened with.
   *
   * @param others What becomes of fields that the model does not have; default: they are mistakes.
   * @returns the batch, or up to 100 mistakes
   */
  read(
    rows: readonly unknown[],
    others?: 'refused' | 'ignored',
  ): { batch: Batch } | { mistakes: FieldMistake[] };
  /**
   * Scores a batch; for a forest of ours and few rows the answer is there at once, and not a promise.
   *
   * @throws RetrainError MODEL_INVALID
   */
  score(batch: Batch): Answers | Promise<Answers>;
  /** Lets its memory, and a child process, go. */
  close(): Promise<void>;
}
