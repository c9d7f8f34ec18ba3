import { type EvaluateParams } from '../contracts/params';
import { type Evaluation, type TableSchema } from '../contracts/stage';
import { type Column } from '../ml/dataset/raw-table';
import {
  classNumbersOf,
  prepared,
  type StoredTable,
  takeStored,
  targetValues,
} from '../ml/dataset/table-artifact';
import { permutationImportance } from '../ml/model/permutation-importance';
import { Random } from '../ml/random/random';
import { type Effort, type Scorer } from '../ml/scoring/scoring-table';
import { Referee } from './referee';

/** Trees that are walked for it at least, over all rows: about a tenth of a second. */
const LEAST_WORK = 500_000;

/** Beyond that, it walks this share of what scoring the held-out rows walks. */
const SHARE_OF_SCORING = 1 / 8;

const MOST_ROWS = 2000;
const LEAST_ROWS = 100;
const MOST_REPEATS = 5;

/** How far the shuffling goes. */
export interface ShufflingPlan {
  /** Held-out rows, a sample. */
  rows: number;
  columns: number;
  /** Shuffles per column. */
  repeats: number;
}

/**
 * As much as a small share of the time of the stage allows: first fewer shuffles, then fewer rows, then fewer columns. Counts work and
 * not time, so that it comes out the same everywhere.
 *
 * @param rows held-out rows
 * @param columns that the model looks at
 * @param cost of a row, in trees
 */
export function planShuffling(rows: number, columns: number, cost: number): ShufflingPlan {
  const predictions = Math.floor(Math.max(LEAST_WORK / cost, rows * SHARE_OF_SCORING));
  const least = Math.min(rows, LEAST_ROWS);
  const taken = Math.min(columns, Math.max(1, Math.floor(predictions / least)));
  const most = Math.min(rows, MOST_ROWS);
  const repeats = Math.min(MOST_REPEATS, Math.max(1, Math.floor(predictions / (taken * most))));
  return {
    rows: Math.min(most, Math.max(least, Math.floor(predictions / (Math.max(1, taken) * repeats)))),
    columns: taken,
    repeats,
  };
}

/**
 * By how much the model gets worse on held-out rows when a raw column tells it nothing: the fall of the balanced accuracy, or
 * of R², when the column's values change places.
 */
export async function importancesOf(
  scorer: Scorer,
  table: StoredTable,
  schema: TableSchema,
  params: EvaluateParams,
  onProgress: (done: number, total: number) => void,
): Promise<Evaluation['importances']> {
  const effort = await scorer.effort();
  const { used, idle } = chosenColumns(table.columns, effort);
  const plan = planShuffling(table.rows, used.length, effort.cost);
  const sample = takeStored(table, sampleOf(table.rows, plan.rows, params.seed));
  const referee = new Referee(sample, schema, params);
  const shuffled = used.slice(0, plan.columns);
  const regression = schema.task === 'regression';
  const scale = regression ? -1 / Math.max(variance(targetValues(sample)), Number.MIN_VALUE) : 1;
  const found = await permutationImportance({
    columns: sample.columns,
    rows: sample.rows,
    shuffled,
    repeats: plan.repeats,
    groups: regression ? new Uint32Array(sample.rows) : classNumbersOf(sample, schema),
    bootstrap: { resamples: params.resamples, level: params.confidence, seed: params.seed },
    merit: async (columns) => {
      const now = { ...sample, columns: [...columns] };
      const said = await scorer.score({ rows: now.rows, columns, matrix: () => prepared(now, schema) });
      const merit = referee.merit(said);
      return regression ? merit.map((error) => scale * error * error) : merit;
    },
    onProgress: (done) => onProgress(done, shuffled.length),
  });
  return {
    metric: regression ? 'r2' : 'balanced_accuracy',
    rows: sample.rows,
    repeats: plan.repeats,
    columns: [...found, ...idle.map((column) => ({ column, mean: 0 }))].sort((a, b) => b.mean - a.mean),
    leftOut: used.length - shuffled.length,
  };
}

/** Those that the model looks at, the most used first where it tells how much, and those that it does not look at. */
function chosenColumns(columns: readonly Column[], { uses }: Effort): { used: string[]; idle: string[] } {
  const names = columns.map(({ name }) => name);
  if (uses === null) return { used: names, idle: [] };
  const count = (name: string): number => uses.get(name) ?? 0;
  return {
    used: names.filter((name) => count(name) > 0).sort((a, b) => count(b) - count(a)),
    idle: names.filter((name) => count(name) === 0),
  };
}

/** Numbers of rows, rising. */
function sampleOf(rows: number, wanted: number, seed: number): Uint32Array {
  const all = Uint32Array.from({ length: rows }, (_, row) => row);
  return wanted >= rows ? all : new Random(seed).shuffle(all).slice(0, wanted).sort();
}

function variance(values: Float64Array): number {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  return values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length;
}
