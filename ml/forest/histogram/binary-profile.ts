import type { BinProfile } from './bin-profile';
import { MAX_BINS } from './bins';

/** Up to this many rows, sorting them is quicker than a histogram. */
const SORTED_ROWS = 24;

/** Draws that a cell of a histogram can count: 16 bits for all, 16 bits for those of class 1. */
const CELL_DRAWS = 0xffff;

/**
 * Profiles a feature within a node of a two-class problem. A row's payload is `draws + 65536 · draws of class 1`, so
 * that one addition counts both.
 */
export class BinaryProfiler {
  /** Four histograms, interleaved: runs of equal bins then don't wait for each other's additions. */
  private readonly cells = new Int32Array(4 * MAX_BINS);
  /** A bit per bin that has rows. */
  private readonly used = new Int32Array(MAX_BINS / 32);
  private readonly draws = new Int32Array(MAX_BINS);
  private readonly ones = new Int32Array(MAX_BINS);
  private readonly rowCells = new Int32Array(MAX_BINS);
  private readonly keys = new Int32Array(SORTED_ROWS);

  /**
   * @param chunk rows whose draws a cell can count, see `chunkFor`
   * @param withRows whether the profile needs distinct rows
   */
  profile(
    column: Uint8Array,
    bins: { count: number; missing: boolean },
    payload: Int32Array,
    rows: Int32Array,
    from: number,
    to: number,
    chunk: number,
    withRows: boolean,
    out: BinProfile,
  ): void {
    out.clear();
    if (to - from <= SORTED_ROWS) {
      this.sortRows(column, payload, rows, from, to);
      this.readKeys(to - from, out);
    } else {
      if (withRows) this.countRows(column, rows, from, to);
      if (bins.count > 2 * (to - from)) {
        this.accumulateMarked(column, payload, rows, from, to);
        this.readMarked(withRows, out);
      } else if (to - from <= chunk) {
        accumulate(column, payload, rows, from, to, this.cells);
        this.readCells(bins.count, withRows, out);
      } else {
        for (let start = from; start < to; start += chunk) {
          accumulate(column, payload, rows, start, Math.min(to, start + chunk), this.cells);
          this.drainCells(bins.count);
        }
        this.readCounts(bins.count, withRows, out);
      }
    }
    if (bins.missing && out.size > 0 && out.bins[0] === 0) out.takeMissing();
  }

  private countRows(column: Uint8Array, rows: Int32Array, from: number, to: number): void {
    this.rowCells.fill(0);
    for (let i = from; i < to; i++) this.rowCells[column[rows[i]!]!]! += 1;
  }

  private readCells(count: number, withRows: boolean, out: BinProfile): void {
    const { cells, rowCells } = this;
    const { bins, counts, sums, rows } = out;
    let size = 0;
    for (let b = 0; b < count; b++) {
      const cell = takeCell(cells, b);
      if (cell === 0) continue;
      bins[size] = b;
      counts[size] = cell & 0xffff;
      sums[size] = cell >>> 16;
      if (withRows) rows[size] = rowCells[b]!;
      size++;
    }
    out.size = size;
  }

  private accumulateMarked(
    column: Uint8Array,
    payload: Int32Array,
    rows: Int32Array,
    from: number,
    to: number,
  ): void {
    const { cells, used } = this;
    for (let i = from; i < to; i++) {
      const row = rows[i]!;
      const b = column[row]!;
      used[b >>> 5]! |= 1 << b;
      cells[4 * b]! += payload[row]!;
    }
  }

  private readMarked(withRows: boolean, out: BinProfile): void {
    const { cells, used, rowCells } = this;
    const { bins, counts, sums, rows } = out;
    let size = 0;
    for (let word = 0; word < used.length; word++) {
      let marks = used[word]!;
      used[word] = 0;
      while (marks !== 0) {
        const lowest = marks & -marks;
        marks ^= lowest;
        const b = 32 * word + 31 - Math.clz32(lowest);
        const cell = cells[4 * b]!;
        cells[4 * b] = 0;
        bins[size] = b;
        counts[size] = cell & 0xffff;
        sums[size] = cell >>> 16;
        if (withRows) rows[size] = rowCells[b]!;
        size++;
      }
    }
    out.size = size;
  }

  private drainCells(count: number): void {
    const { cells, draws, ones } = this;
    for (let b = 0; b < count; b++) {
      const cell = takeCell(cells, b);
      draws[b]! += cell & 0xffff;
      ones[b]! += cell >>> 16;
    }
  }

  private readCounts(count: number, withRows: boolean, out: BinProfile): void {
    const { draws, ones, rowCells } = this;
    const { bins, counts, sums, rows } = out;
    let size = 0;
    for (let b = 0; b < count; b++) {
      if (draws[b] === 0) continue;
      bins[size] = b;
      counts[size] = draws[b]!;
      sums[size] = ones[b]!;
      if (withRows) rows[size] = rowCells[b]!;
      draws[b] = 0;
      ones[b] = 0;
      size++;
    }
    out.size = size;
  }

  /** Insertion sort of the rows by bin; a key is the bin, the draws and the class, in bits. */
  private sortRows(
    column: Uint8Array,
    payload: Int32Array,
    rows: Int32Array,
    from: number,
    to: number,
  ): void {
    const { keys } = this;
    for (let i = from; i < to; i++) {
      const row = rows[i]!;
      const moments = payload[row]!;
      const key = (column[row]! << 17) | ((moments & 0xffff) << 1) | (-(moments >>> 16) >>> 31);
      let j = i - from;
      while (j > 0 && keys[j - 1]! > key) {
        keys[j] = keys[j - 1]!;
        j--;
      }
      keys[j] = key;
    }
  }

  private readKeys(n: number, out: BinProfile): void {
    const { keys } = this;
    const { bins, counts, sums, rows } = out;
    let size = 0;
    let i = 0;
    while (i < n) {
      const bin = keys[i]! >>> 17;
      const first = i;
      let count = 0;
      let sum = 0;
      do {
        const key = keys[i]!;
        const draws = (key >>> 1) & 0xffff;
        count += draws;
        sum += draws & -(key & 1);
        i++;
      } while (i < n && keys[i]! >>> 17 === bin);
      bins[size] = bin;
      counts[size] = count;
      sums[size] = sum;
      rows[size] = i - first;
      size++;
    }
    out.size = size;
  }
}

/** Rows that may be counted in one go when none was drawn more than `most` times. */
export function chunkFor(most: number): number {
  return Math.min(4096, Math.floor(CELL_DRAWS / Math.max(1, most)));
}

/** Empties the four histograms' cells of a bin. @returns their sum */
function takeCell(cells: Int32Array, bin: number): number {
  const i = 4 * bin;
  const cell = (cells[i]! + cells[i + 1]! + cells[i + 2]! + cells[i + 3]!) | 0;
  if (cell === 0) return 0;
  cells[i] = 0;
  cells[i + 1] = 0;
  cells[i + 2] = 0;
  cells[i + 3] = 0;
  return cell;
}

function accumulate(
  column: Uint8Array,
  payload: Int32Array,
  rows: Int32Array,
  from: number,
  to: number,
  cells: Int32Array,
): void {
  // The odd rows come first: V8 compiles the loop below while it runs, and would go back to the interpreter at what
  // comes after a loop, and was not seen before, each time again.
  let i = from | 0;
  for (; ((to - i) & 3) !== 0; i = (i + 1) | 0) cells[4 * column[rows[i]!]!]! += payload[rows[i]!]!;
  for (; i < to; i = (i + 4) | 0) {
    const a = rows[i]!;
    const b = rows[i + 1]!;
    const c = rows[i + 2]!;
    const d = rows[i + 3]!;
    const atA = 4 * column[a]!;
    const atB = 4 * column[b]! + 1;
    const atC = 4 * column[c]! + 2;
    const atD = 4 * column[d]! + 3;
    cells[atA] = (cells[atA]! + payload[a]!) | 0;
    cells[atB] = (cells[atB]! + payload[b]!) | 0;
    cells[atC] = (cells[atC]! + payload[c]!) | 0;
    cells[atD] = (cells[atD]! + payload[d]!) | 0;
  }
}
