import { RetrainError } from '../../contracts/errors';
import { Random } from '../random/random';

/** Row numbers, ascending, every row in one of the two. */
export interface Split {
  train: Uint32Array;
  test: Uint32Array;
}

/**
 * Splits rows so that each class has its share on both sides: ⌈n · testSize⌉ test rows, as scikit-learn's
 * `train_test_split`, shared out among the classes by largest remainder (ties to the lower class number), each
 * class at least one row on each side. Within a class the rows are drawn by a seeded shuffle, one stream of the
 * generator per class, so adding rows to one class leaves the draw of the others alone.
 *
 * @param labels `[n]` class numbers in 0 … K-1.
 * @param classes Names of the K classes, for messages.
 * @throws RetrainError DATA_INVALID when a class has fewer than two rows.
 */
export function stratifiedSplit(
  labels: Uint32Array,
  classes: readonly string[],
  testSize: number,
  seed: number,
  file: string,
): Split {
  const rowsOf = rowsByClass(labels, classes.length);
  const lonely = rowsOf.findIndex((rows) => rows.length < 2);
  if (lonely !== -1) {
    throw new RetrainError(
      'DATA_INVALID',
      `${file}: class "${classes[lonely]}" has ${rowsOf[lonely]?.length ?? 0} row, expected at least 2 (one to train on, one to test on); add rows or leave the class out`,
    );
  }
  const counts = rowsOf.map((rows) => rows.length);
  const inTest = shareOut(counts, Math.ceil(labels.length * testSize - 1e-9));
  const isTest = new Uint8Array(labels.length);
  for (const [k, rows] of rowsOf.entries()) {
    new Random(seed, k).shuffle(rows);
    for (const row of rows.subarray(0, inTest[k])) isTest[row] = 1;
  }
  const all = Uint32Array.from(labels, (_, row) => row);
  return { train: all.filter((row) => isTest[row] === 0), test: all.filter((row) => isTest[row] === 1) };
}

/**
 * Shares `total` seats out in proportion to `counts` by largest remainder, then keeps each between 1 and
 * count-1.
 */
export function shareOut(counts: readonly number[], total: number): number[] {
  const rows = counts.reduce((sum, count) => sum + count, 0);
  const quotas = counts.map((count) => (count * total) / rows);
  const seats = quotas.map(Math.floor);
  const left = total - seats.reduce((sum, seat) => sum + seat, 0);
  const byRemainder = quotas
    .map((quota, k) => ({ k, remainder: quota - Math.floor(quota) }))
    .sort((a, b) => b.remainder - a.remainder || a.k - b.k);
  for (const { k } of byRemainder.slice(0, left)) seats[k] = (seats[k] ?? 0) + 1;
  const bounded = seats.map((seat, k) => Math.min(Math.max(seat, 1), (counts[k] ?? 2) - 1));
  // What the smallest classes were lifted by comes off those that got the most above their quota.
  const over = (k: number): number =>
    (bounded[k] ?? 0) > 1 ? (bounded[k] ?? 0) - (quotas[k] ?? 0) : -Infinity;
  let surplus = bounded.reduce((sum, seat) => sum + seat, 0) - total;
  for (; surplus > 0; surplus--) {
    const richest = bounded.reduce((best, _, k) => (over(k) > over(best) ? k : best), 0);
    if (over(richest) === -Infinity) break;
    bounded[richest] = (bounded[richest] ?? 0) - 1;
  }
  return bounded;
}

function rowsByClass(labels: Uint32Array, classes: number): Uint32Array[] {
  const counts = new Uint32Array(classes);
  for (const label of labels) counts[label] = (counts[label] ?? 0) + 1;
  const rows = Array.from(counts, (count) => new Uint32Array(count));
  const filled = new Uint32Array(classes);
  for (const [row, label] of labels.entries()) {
    const at = filled[label] ?? 0;
    const list = rows[label];
    if (list === undefined) throw new RangeError(`label ${label} is not below ${classes}`);
    list[at] = row;
    filled[label] = at + 1;
  }
  return rows;
}
