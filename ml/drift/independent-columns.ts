import { orderByKey } from '../dataset/order-by-key';
import { fallingKeys } from '../dataset/number-keys';
import { type Column } from '../dataset/raw-table';

/** Rows that correlations are taken from, evenly spread. */
const MOST_ROWS = 2000;
/** Columns that are looked at together; more are taken in groups, none of which knows of the others. */
const GROUP = 60;
const SWEEPS = 30;

/**
 * How many independent columns would be as many questions as these: as many as there are where none goes with another, one where all are the same.
 * By the eigenvalues of the squared rank correlations, as the distances that are asked about are sums of squares (Galwey, "A new measure of the
 * effective number of tests", 2009). Texts count as one each.
 */
export function independentColumns(columns: readonly Column[]): number {
  let sum = columns.filter(({ kind }) => kind === 'text').length;
  const ranked = columns.flatMap((column) => (column.kind === 'number' ? [ranksOf(column.values)] : []));
  for (let from = 0; from < ranked.length; from += GROUP) {
    const group = ranked.slice(from, from + GROUP);
    const squares = group.map((a, i) => group.map((b, j) => (i === j ? 1 : product(a, b) ** 2)));
    const positive = eigenvalues(squares).map((value) => Math.max(0, value));
    const whole = positive.reduce((all, value) => all + value, 0);
    sum += positive.reduce((all, value) => all + Math.sqrt(value), 0) ** 2 / whole;
  }
  return Math.max(1, sum);
}

/** Ranks as a vector of length 1 around 0; of equal values, and of missing ones, the middle. All 0 for one value. */
function ranksOf(values: Float64Array): Float64Array {
  const every = Math.max(1, Math.ceil(values.length / MOST_ROWS));
  const taken = values.filter((_, row) => row % every === 0);
  const present = taken.filter((value) => !Number.isNaN(value));
  const { order, ends } = orderByKey(fallingKeys(present));
  const ranks = new Float64Array(present.length);
  for (let from = 0; from < order.length;) {
    let to = from;
    while (ends[to] === 0) to++;
    for (let i = from; i <= to; i++) ranks[order[i]!] = (from + to) / 2 - (present.length - 1) / 2;
    from = to + 1;
  }
  let at = 0;
  const all = taken.map((value) => (Number.isNaN(value) ? 0 : ranks[at++]!));
  const length = Math.sqrt(product(all, all));
  return length > 0 ? all.map((rank) => rank / length) : all;
}

function product(a: Float64Array, b: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i]! * b[i]!;
  return sum;
}

/** Of a symmetric matrix, in no order (Jacobi's rotations). */
function eigenvalues(matrix: number[][]): number[] {
  const a = matrix.map((row) => [...row]);
  const n = a.length;
  for (let sweep = 0; sweep < SWEEPS; sweep++) {
    let off = 0;
    for (let p = 0; p < n; p++) for (let q = p + 1; q < n; q++) off += a[p]![q]! ** 2;
    if (off < 1e-12 * n) break;
    for (let p = 0; p < n; p++) {
      for (let q = p + 1; q < n; q++) {
        const entry = a[p]![q]!;
        if (Math.abs(entry) < 1e-15) continue;
        const theta = (a[q]![q]! - a[p]![p]!) / (2 * entry);
        const t = (theta < 0 ? -1 : 1) / (Math.abs(theta) + Math.hypot(theta, 1));
        const c = 1 / Math.hypot(t, 1);
        const s = t * c;
        for (let k = 0; k < n; k++) {
          const [kp, kq] = [a[k]![p]!, a[k]![q]!];
          a[k]![p] = c * kp - s * kq;
          a[k]![q] = s * kp + c * kq;
        }
        for (let k = 0; k < n; k++) {
          const [pk, qk] = [a[p]![k]!, a[q]![k]!];
          a[p]![k] = c * pk - s * qk;
          a[q]![k] = s * pk + c * qk;
        }
      }
    }
  }
  return a.map((row, i) => row[i]!);
}
