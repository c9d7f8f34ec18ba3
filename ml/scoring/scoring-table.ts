import { listed, RetrainError } from '../../contracts/errors';
import { type FeatureMatrix } from '../dataset/matrix';
import { type Column } from '../dataset/raw-table';

/** The rows in both forms that a model may take. */
export interface ScoringTable {
  rows: number;
  /** Raw columns, for a model with one input per column. */
  columns: readonly Column[];
  /** Prepared features, for a model with one dense input `[n, d]`. */
  matrix: () => FeatureMatrix;
}

/** What a model said of each row; what it does not give is null. */
export interface Scored {
  /** `[n]` class labels. */
  labels: string[] | null;
  /** `[n, K]` */
  probabilities: Float64Array | null;
  /** `[n]`, in the target's unit. */
  values: Float64Array | null;
}

/** What asking a model takes, and what it looks at. */
export interface Effort {
  /** Of one row, in trees that are walked. */
  cost: number;
  /** By raw column, how much of a row's way through the trees asks for it; null: the model does not tell. */
  uses: ReadonlyMap<string, number> | null;
}

/** A model that is ready to be asked. */
export interface Scorer {
  /** @throws RetrainError MODEL_INVALID when the model does not take such rows. */
  score(table: ScoringTable, onProgress?: (done: number) => void): Promise<Scored>;
  /** Known once a table was scored. */
  effort(): Promise<Effort>;
  /** Lets its memory go. */
  close(): Promise<void>;
}

/** Rows `from` to `to` (exclusive) of a table, every `step`-th. */
export function everyRow(table: ScoringTable, from: number, to: number, step = 1): ScoringTable {
  const rows = Math.max(0, Math.ceil((to - from) / step));
  return {
    rows,
    columns: table.columns.map((column): Column => {
      if (column.kind === 'number') {
        if (step === 1) return { ...column, values: column.values.subarray(from, to) };
        return {
          ...column,
          values: Float64Array.from({ length: rows }, (_, i) => column.values[from + i * step]!),
        };
      }
      if (step === 1) return { ...column, codes: column.codes.subarray(from, to) };
      return {
        ...column,
        codes: Int32Array.from({ length: rows }, (_, i) => column.codes[from + i * step]!),
      };
    }),
    matrix: () => {
      const whole = table.matrix();
      const values = new Float32Array(rows * whole.features);
      for (let f = 0; f < whole.features; f++) {
        for (let i = 0; i < rows; i++) values[f * rows + i] = whole.values[f * whole.rows + from + i * step]!;
      }
      return { values, rows, features: whole.features };
    },
  };
}

/** The error of a model that takes columns which the table has not. */
export function lacking(wanted: readonly string[], { columns }: ScoringTable): RetrainError {
  const names = columns.map(({ name }) => name);
  const missing = wanted.filter((name) => !names.includes(name));
  return new RetrainError(
    'MODEL_INVALID',
    `it takes columns that the data no longer has: ${listed(missing)}; expected ${listed(names, 12)}`,
  );
}
