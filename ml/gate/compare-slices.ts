import { type ComparedSlice } from '../../contracts/comparison';
import { type Column, textAt } from '../dataset/raw-table';
import { quarterOf } from '../metrics/slices';

const MAX_COLUMNS = 50;
const MAX_SLICES = 50;

/** Numbers with at most so many different values are sliced by value, others by quarter. */
const FEW_VALUES = 20;

/** A slice of fewer rows tells nothing about anybody. */
const MIN_ROWS = 20;

/**
 * Two models on the rows with each value of each column: the 50 most frequent values that have 20 rows or more. A number
 * with many values is cut into quarters.
 *
 * @param mine `[n]` of each row: 1 or 0 for right or wrong, or the absolute error.
 * @param its `[n]` the same of the other model.
 */
export function compareSlices(
  columns: readonly Column[],
  mine: Float64Array,
  its: Float64Array,
): { slices: ComparedSlice[]; sliced: string[] } {
  const chosen = columns.slice(0, MAX_COLUMNS);
  return {
    slices: chosen.flatMap((column) => slicesOf(column, mine, its)),
    sliced: chosen.map(({ name }) => name),
  };
}

function slicesOf(column: Column, mine: Float64Array, its: Float64Array): ComparedSlice[] {
  const sliceAt = slicer(column);
  const sums = new Map<string, { rows: number; candidate: number; champion: number }>();
  for (let row = 0; row < mine.length; row++) {
    const slice = sliceAt(row);
    let sum = sums.get(slice);
    if (sum === undefined) sums.set(slice, (sum = { rows: 0, candidate: 0, champion: 0 }));
    sum.rows++;
    sum.candidate += mine[row] ?? 0;
    sum.champion += its[row] ?? 0;
  }
  return [...sums]
    .filter(([, { rows }]) => rows >= MIN_ROWS)
    .sort(([, a], [, b]) => b.rows - a.rows)
    .slice(0, MAX_SLICES)
    .map(([slice, { rows, candidate, champion }]) => ({
      ...{ column: column.name, slice, rows },
      candidate: candidate / rows,
      champion: champion / rows,
    }));
}

function slicer(column: Column): (row: number) => string {
  if (column.kind === 'text') return (row) => textAt(column, row) ?? 'missing';
  const { values } = column;
  const different = new Set<number>();
  for (const value of values) if (different.size <= FEW_VALUES) different.add(value);
  if (different.size > FEW_VALUES) return quarterOf(values);
  return (row) => {
    const value = values[row] ?? Number.NaN;
    return Number.isNaN(value) ? 'missing' : String(value);
  };
}
