import type { BinnedTable } from './bins';
import type { NodeRows } from './split-finder';

const float = new Float32Array(1);
const bits = new Uint32Array(float.buffer);

/** Rows that can be put in order: their numbers and a float32 fit the 53 bits of a number. */
const MOST = 2 ** 20;

/** Up to this many, moving them into place one by one is quicker than calling the sort. */
const FEW = 16;

/** Rows in the order of their values: those of a few bins of one node, taken in one by one and then sorted. */
export class ValueOrder {
  size = 0;
  /** `[size]` increasing, once sorted. */
  values = new Float32Array(256);
  /** `[size]` numbers of the rows within their place. */
  rows = new Int32Array(256);
  /** Of the rows that `collectBins` took last: the largest value in the lower bin, and the least in the upper one. */
  largestLow = -Infinity;
  leastHigh = Infinity;
  private keys = new Float64Array(256);
  private spare = new Int32Array(256);

  /** Makes room for so many rows; those that are there are lost. */
  clear(most: number): void {
    this.size = 0;
    if (most <= this.rows.length) return;
    const size = 2 * most;
    this.values = new Float32Array(size);
    this.rows = new Int32Array(size);
    this.keys = new Float64Array(size);
    this.spare = new Int32Array(size);
  }

  /** @returns false when there are too many, or a single value */
  sort(): boolean {
    const { size } = this;
    if (size < 2 || size > MOST) return false;
    if (size <= FEW) this.insert();
    else this.sortKeys();
    return this.values[0]! < this.values[size - 1]!;
  }

  private insert(): void {
    const { values, rows, size } = this;
    for (let i = 1; i < size; i++) {
      const value = values[i]!;
      const row = rows[i]!;
      let j = i;
      for (; j > 0 && values[j - 1]! > value; j--) {
        values[j] = values[j - 1]!;
        rows[j] = rows[j - 1]!;
      }
      values[j] = value;
      rows[j] = row;
    }
  }

  /** A key is the value's bits, so turned that larger values have larger ones, and the row's place in the list. */
  private sortKeys(): void {
    const { values, rows, keys, spare, size } = this;
    for (let i = 0; i < size; i++) {
      float[0] = values[i]!;
      const raw = bits[0]!;
      keys[i] = ((raw & 0x8000_0000) !== 0 ? ~raw >>> 0 : (raw | 0x8000_0000) >>> 0) * MOST + i;
      spare[i] = rows[i]!;
    }
    keys.subarray(0, size).sort();
    for (let i = 0; i < size; i++) {
      const key = keys[i]!;
      const turned = Math.floor(key / MOST);
      bits[0] = turned >= 0x8000_0000 ? turned & 0x7fff_ffff : ~turned >>> 0;
      values[i] = float[0]!;
      rows[i] = spare[key - turned * MOST]!;
    }
  }
}

/**
 * Takes the rows of a node that are in one of two bins (or in one, named twice) into `order`, not sorted yet.
 * @returns how many are in the lower bin
 */
export function collectBins(
  binned: BinnedTable,
  feature: number,
  { place, rows, from, to }: NodeRows,
  lower: number,
  upper: number,
  order: ValueOrder,
): number {
  const column = place.columns[feature]!;
  order.clear(to - from + 1);
  const found = order.rows;
  let size = 0;
  for (let i = from; i < to; i++) {
    // Written anyway, and written over by the next row unless it belongs here: that cannot be predicted.
    const row = rows[i]!;
    const bin = column[row]!;
    found[size] = row;
    size = (size + (Number(bin === lower) | Number(bin === upper))) | 0;
  }
  const { values } = order;
  const first = feature * binned.rows;
  const { origin } = place;
  let low = 0;
  order.largestLow = -Infinity;
  order.leastHigh = Infinity;
  for (let i = 0; i < size; i++) {
    const row = found[i]!;
    const value = binned.values[first + (origin === undefined ? row : origin[row]!)]!;
    values[i] = value;
    if (column[row] === lower) {
      low++;
      if (value > order.largestLow) order.largestLow = value;
    } else if (value < order.leastHigh) order.leastHigh = value;
  }
  order.size = size;
  return low;
}

/** Rows of a node in bins below `bin`; those without a value among them if they go left. */
export function rowsBelow(
  { bins }: BinnedTable,
  feature: number,
  { place, rows, from, to }: NodeRows,
  bin: number,
  missingLeft: boolean,
): number {
  const column = place.columns[feature]!;
  const first = bins[feature]!.missing && !missingLeft ? 1 : 0;
  let count = 0;
  for (let i = from; i < to; i++) {
    const code = column[rows[i]!]!;
    count += Number(code >= first && code < bin);
  }
  return count;
}
