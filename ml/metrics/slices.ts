import { type Evaluation } from '../../contracts/stage';
import { type Column, textAt } from '../dataset/raw-table';
import { sortNumbers } from '../dataset/sort-numbers';
import { quantile } from './quantile';

export type Slice = NonNullable<Evaluation['slices']>[number];

const MAX_COLUMNS = 30;
const MAX_LEVELS = 8;
const MIN_ROWS = 5;

/**
 * How well a model does on parts of the held-out rows: for each column, the quarters of a number, the most frequent levels
 * of a text, and its missing values. Parts of fewer than 5 rows are left out: they tell nothing.
 *
 * @param merit `[n]` of each row: 1 or 0 for right or wrong, or the absolute error.
 */
export function slicesOf(columns: readonly Column[], merit: Float64Array): Slice[] {
  return columns.slice(0, MAX_COLUMNS).flatMap((column) => {
    const sliceAt = column.kind === 'number' ? quarterOf(column.values) : levelOf(column);
    const sums = new Map<string, { rows: number; sum: number }>();
    for (let row = 0; row < merit.length; row++) {
      const slice = sliceAt(row);
      if (slice === undefined) continue;
      let found = sums.get(slice);
      if (found === undefined) sums.set(slice, (found = { rows: 0, sum: 0 }));
      found.rows++;
      found.sum += merit[row] ?? 0;
    }
    return [...sums]
      .filter(([, { rows }]) => rows >= MIN_ROWS && rows < merit.length)
      .map(([slice, { rows, sum }]) => ({ column: column.name, slice, rows, value: sum / rows }));
  });
}

/** The quarter of a number's range that each row is in: `3.5 to 5.1`, or `missing`. */
export function quarterOf(values: Float64Array): (row: number) => string {
  const sorted = sortNumbers(values.filter((value) => value === value));
  const edges = [...new Set([0, 0.25, 0.5, 0.75, 1].map((share) => quantile(sorted, share)))];
  const names = edges.slice(1).map((edge, i) => `${short(edges[i])} to ${short(edge)}`);
  const inner = edges.slice(1, -1);
  const only = short(edges[0]);
  return (row) => {
    const value = values[row]!;
    if (value !== value) return 'missing';
    let above = 0;
    while (above < inner.length && value > inner[above]!) above++;
    return names[above] ?? only;
  };
}

function levelOf(column: Column & { kind: 'text' }): (row: number) => string | undefined {
  const counts = new Map<number, number>();
  for (const code of column.codes) counts.set(code, (counts.get(code) ?? 0) + 1);
  const kept = new Set(
    [...counts]
      .sort((a, b) => b[1] - a[1] || a[0] - b[0])
      .slice(0, MAX_LEVELS)
      .map(([code]) => code),
  );
  return (row) => {
    const code = column.codes[row] ?? -1;
    return kept.has(code) ? (textAt(column, row) ?? 'missing') : undefined;
  };
}

const short = (value: number | undefined): string => String(Number((value ?? Number.NaN).toPrecision(3)));
