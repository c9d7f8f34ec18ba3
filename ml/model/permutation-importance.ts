import { setImmediate as nextTurn } from 'node:timers/promises';
import { type Column, takeColumn } from '../dataset/raw-table';
import { bootstrapIntervals, type BootstrapOptions, type Interval } from '../metrics/bootstrap';
import { Random } from '../random/random';

/** What is shuffled, and who is asked. */
export interface PermutationInput {
  /** Raw columns of s rows that the model was best not trained on. */
  columns: readonly Column[];
  rows: number;
  /** Names of those to shuffle. */
  shuffled: readonly string[];
  /** Shuffles per column. */
  repeats: number;
  /** `[s]` how good the model's answer to each row is, given these columns; larger is better. */
  merit: (columns: readonly Column[]) => Promise<Float64Array>;
  /** `[s]` group of each row, from 0: each group counts the same. */
  groups: Uint32Array;
  /** Absent: no intervals. Its seed is that of the shuffles, too. */
  bootstrap: BootstrapOptions;
  onProgress?: (done: number) => void;
}

export interface ColumnImportance {
  column: string;
  /** By how much the mean merit falls when the column's values change places: mean over the repeats. */
  mean: number;
  /** Of that mean, by the bootstrap over the rows; absent where none was drawn. */
  interval?: Interval;
}

/**
 * Permutation importance (Breiman, "Random forests", 2001) of raw columns. A column that became several features is
 * shuffled as one. The same seed gives the same figures.
 */
export async function permutationImportance(input: PermutationInput): Promise<ColumnImportance[]> {
  const { columns, rows, shuffled, repeats, merit, groups, bootstrap } = input;
  const whole = await merit(columns);
  const falls: Float64Array[] = [];
  for (const name of shuffled) {
    const at = columns.findIndex((column) => column.name === name);
    const column = columns[at];
    if (column === undefined) throw new Error(`there is no column ${name} to shuffle`);
    const fall = new Float64Array(rows);
    for (let repeat = 0; repeat < repeats; repeat++) {
      // By its place in the table: which others are shuffled changes nothing.
      const order = new Random(bootstrap.seed, at * repeats + repeat).shuffle(Uint32Array.from(fall.keys()));
      const now = await merit(columns.with(at, takeColumn(column, order)));
      for (let row = 0; row < rows; row++) fall[row]! += (whole[row]! - now[row]!) / repeats;
      await nextTurn();
    }
    falls.push(fall);
    input.onProgress?.(falls.length);
  }
  const means = meansOf(falls, groups);
  const intervals = bootstrapIntervals(rows, (weights) => means(weights), bootstrap);
  const measured = means();
  return shuffled.map((column, f) => {
    const interval = intervals[f];
    return { column, mean: measured[f] ?? 0, ...(interval === undefined ? {} : { interval }) };
  });
}

/** Means over the groups of the weighted means within each, by the number of the column. */
function meansOf(
  falls: readonly Float64Array[],
  groups: Uint32Array,
): (weights?: Float64Array) => Record<string, number> {
  const groupCount = groups.reduce((most, group) => Math.max(most, group + 1), 0);
  return (weights) => {
    const sizes = new Float64Array(groupCount);
    for (let row = 0; row < groups.length; row++) sizes[groups[row]!]! += weights?.[row] ?? 1;
    const present = sizes.reduce((count, size) => count + (size > 0 ? 1 : 0), 0);
    const shares = Float64Array.from(
      groups,
      (group, row) => (weights?.[row] ?? 1) / (sizes[group]! * present),
    );
    return Object.fromEntries(
      falls.map((fall, f) => {
        let sum = 0;
        for (let row = 0; row < fall.length; row++) if (shares[row]! > 0) sum += shares[row]! * fall[row]!;
        return [String(f), sum];
      }),
    );
  };
}
