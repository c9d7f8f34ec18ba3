import { RetrainError } from '../../contracts/errors';
import { drawRows, namesByClass } from './draw-rows';
import { type KeyOrder } from './order-by-key';

/** Row numbers, ascending, every row in one of the two, but for those in the gap of a split by time. */
export interface Split {
  train: Uint32Array;
  test: Uint32Array;
}

/** Both sides by one rule. */
export function splitBy(rows: number, isTest: (row: number) => boolean): Split {
  const train = new Uint32Array(rows);
  const test = new Uint32Array(rows);
  let trainRows = 0;
  let testRows = 0;
  for (let row = 0; row < rows; row++) {
    if (isTest(row)) test[testRows++] = row;
    else train[trainRows++] = row;
  }
  return { train: train.slice(0, trainRows), test: test.slice(0, testRows) };
}

/**
 * Splits rows so that each class has its share on both sides: ⌈n · testSize⌉ test rows, as scikit-learn's
 * `train_test_split`, shared out among the classes by largest remainder (ties to the lower class number), each
 * class at least one row on each side. Within a class the names with the smallest keys are held out, see `drawRows`.
 *
 * @param labels `[n]` class numbers in 0 … K-1.
 * @param classes Names of the K classes, for messages.
 * @throws RetrainError DATA_INVALID when a class has fewer than two different rows.
 */
export function stratifiedSplit(
  order: KeyOrder,
  labels: Uint32Array,
  classes: readonly string[],
  testSize: number,
  file: string,
): Split {
  const counts = countRows(labels, classes.length);
  const names = namesByClass(order, labels, classes.length);
  const lonely = names.findIndex((count) => count < 2);
  if (lonely !== -1) throw lonelyClass(file, classes[lonely] ?? '', counts[lonely] ?? 0);
  const quotas = shareOut(counts, Math.ceil(labels.length * testSize - 1e-9));
  const drawn = drawRows({ order, labels, quotas });
  return splitBy(labels.length, (row) => drawn[row] === 1);
}

function lonelyClass(file: string, name: string, rows: number): RetrainError {
  const found = rows < 2 ? `${rows} row` : `${rows} rows, which are all equal`;
  const wanted = rows < 2 ? 'at least 2' : 'at least 2 different ones';
  return new RetrainError(
    'DATA_INVALID',
    `${file}: class "${name}" has ${found}, expected ${wanted} (one to train on, one to test on); add rows or leave the class out`,
  );
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

/** `[K]` */
export function countRows(labels: Uint32Array, classes: number): number[] {
  const counts = new Array<number>(classes).fill(0);
  for (const label of labels) counts[label] = (counts[label] ?? 0) + 1;
  return counts;
}
