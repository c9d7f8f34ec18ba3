import type { BinnedTable } from './bins';

/**
 * Where a tree is being grown: the whole table, or a block of the few rows of one subtree, copied together so that
 * all further work on them stays in the cache. Rows are named by their number within the place.
 */
export interface Place {
  /** `[d]` columns of bin numbers. */
  columns: Uint8Array[];
  /** What each row adds to a histogram; the split finder knows how to read it. */
  payload: Int32Array;
  /** Target of each row times its draws; empty for classification. */
  targets: Float64Array;
  /** Row numbers, those of a node side by side. Partitioning moves them to and fro between the two. */
  rows: [Int32Array, Int32Array];
  /** Of a block: which row of the table each row is. */
  origin?: Int32Array;
}

/** Bytes of bin numbers in a block: they and what comes with them fit a second-level cache. */
const BLOCK_BYTES = 512 * 1024;

/** Rows of a block, for a table of so many features. */
export function blockRows(features: number): number {
  return Math.max(256, Math.min(65_536, Math.floor(BLOCK_BYTES / features)));
}

export function tablePlace(binned: BinnedTable, withTargets: boolean): Place {
  const n = binned.rows;
  return {
    columns: binned.bins.map((_, f) => binned.codes.subarray(f * n, (f + 1) * n)),
    payload: new Int32Array(n),
    targets: new Float64Array(withTargets ? n : 0),
    rows: [new Int32Array(n), new Int32Array(n)],
  };
}

export function blockPlace(rows: number, features: number, withTargets: boolean): Place {
  return {
    columns: Array.from({ length: features }, () => new Uint8Array(rows)),
    payload: new Int32Array(rows),
    targets: new Float64Array(withTargets ? rows : 0),
    rows: [new Int32Array(rows), new Int32Array(rows)],
    origin: new Int32Array(rows),
  };
}

/** Copies the rows `rows[from…to)` of `table` to `block`, where they get the numbers 0, 1, 2, … */
export function copyRows(table: Place, rows: Int32Array, from: number, to: number, block: Place): void {
  for (let f = 0; f < table.columns.length; f++) {
    copyBytes(table.columns[f]!, rows, from, to, block.columns[f]!);
  }
  const numbers = block.rows[0];
  for (let i = from; i < to; i++) {
    block.payload[i - from] = table.payload[rows[i]!]!;
    numbers[i - from] = i - from;
    if (block.origin !== undefined) block.origin[i - from] = rows[i]!;
  }
  if (table.targets.length === 0) return;
  for (let i = from; i < to; i++) block.targets[i - from] = table.targets[rows[i]!]!;
}

function copyBytes(column: Uint8Array, rows: Int32Array, from: number, to: number, out: Uint8Array): void {
  for (let i = from; i < to; i++) out[i - from] = column[rows[i]!]!;
}

/**
 * Moves the rows `source[from…to)` to `target`: those with `(code - shift) mod 256 < bound` to the front, in their
 * order, the others to the back, in reverse. Without a branch, as which way a row goes cannot be predicted: each is
 * written to both ends of what is still free, and only the end that it belongs to moves on.
 * @param shift 1 makes code 0 (missing) the largest, which sends it right; 0 leaves it the smallest
 * @returns the border between the two
 */
export function partition(
  column: Uint8Array,
  shift: number,
  bound: number,
  source: Int32Array,
  target: Int32Array,
  from: number,
  to: number,
): number {
  let left = from | 0;
  let i = from | 0;
  for (; ((to - i) & 3) !== 0; i = (i + 1) | 0) {
    const row = source[i]!;
    target[left] = row;
    target[(to - 1 - i + left) | 0] = row;
    left = (left + ((((column[row]! - shift) & 255) - bound) >>> 31)) | 0;
  }
  for (; i < to; i = (i + 4) | 0) {
    const a = source[i]!;
    const b = source[i + 1]!;
    const c = source[i + 2]!;
    const d = source[i + 3]!;
    // 1 when the row goes left, else 0.
    const aLeft = (((column[a]! - shift) & 255) - bound) >>> 31;
    const bLeft = (((column[b]! - shift) & 255) - bound) >>> 31;
    const cLeft = (((column[c]! - shift) & 255) - bound) >>> 31;
    const dLeft = (((column[d]! - shift) & 255) - bound) >>> 31;
    let right = (to - 1 - i + left) | 0;
    target[left] = a;
    target[right] = a;
    left = (left + aLeft) | 0;
    right = (right - 1 + aLeft) | 0;
    target[left] = b;
    target[right] = b;
    left = (left + bLeft) | 0;
    right = (right - 1 + bLeft) | 0;
    target[left] = c;
    target[right] = c;
    left = (left + cLeft) | 0;
    right = (right - 1 + cLeft) | 0;
    target[left] = d;
    target[right] = d;
    left = (left + dLeft) | 0;
  }
  return left;
}

/**
 * The same where the border is within a bin: rows in bins below `bin` go to the front, and of those in it the ones whose
 * value is at most the threshold.
 * @param missing whether code 0 is that of missing values, and where they go: -1 no, 0 to the back, 1 to the front
 */
export function partitionByValue(
  binned: BinnedTable,
  { columns, origin }: Place,
  feature: number,
  bin: number,
  threshold: number,
  missing: -1 | 0 | 1,
  source: Int32Array,
  target: Int32Array,
  from: number,
  to: number,
): number {
  const column = columns[feature]!;
  const { values } = binned;
  const first = feature * binned.rows;
  let left = from;
  for (let i = from; i < to; i++) {
    const row = source[i]!;
    const code = column[row]!;
    let goesLeft = Number(code < bin);
    if (code === bin)
      goesLeft = Number(values[first + (origin === undefined ? row : origin[row]!)]! <= threshold);
    else if (code === 0 && missing >= 0) goesLeft = missing;
    target[left] = row;
    target[to - 1 - i + left] = row;
    left += goesLeft;
  }
  return left;
}
