import type { FeatureMatrix } from '../../dataset/matrix';
import { sortFloats } from '../../dataset/sort-numbers';
import { BorderIndex } from './border-index';

/** Codes of a column are bytes: a feature has at most this many bins, a missing value among them. */
export const MAX_BINS = 256;

/** Rows whose values place the bin borders of a column with more than 256 distinct ones. */
const QUANTILE_SAMPLE = 200_000;

const float = new Float32Array(1);
const bits = new Int32Array(float.buffer);

/** How the values of one feature fall into bins, numbered in the order of the values. */
export interface FeatureBins {
  /** Bins, that of missing values included. */
  count: number;
  /** Bin 0 is that of missing values. False: no value of the column is missing, and bin 0 is a bin like the others. */
  missing: boolean;
  /** `[count]` smallest and largest value in each bin; NaN for that of missing values. */
  lowest: Float32Array;
  highest: Float32Array;
  /** Whether some bin holds more than one value. */
  coarse: boolean;
}

/** A table as bin numbers: `[n, d]` bytes, column-major, on memory that threads share. */
export interface BinnedTable {
  rows: number;
  features: number;
  codes: Uint8Array;
  bins: FeatureBins[];
  /** `[n, d]` the table itself, column-major. */
  values: Float32Array;
}

/**
 * Bins a table `[n, d]`. Columns with at most 256 distinct values (missing counts as one) get a bin per value, so
 * that nothing is lost; others get bins of about equally many rows, by the quantiles of up to 200,000 of them.
 */
export function binTable(table: FeatureMatrix): BinnedTable {
  const { rows, features } = table;
  const codes = new Uint8Array(new SharedArrayBuffer(rows * features));
  const bins = Array.from({ length: features }, (_, f) =>
    binColumn(table.values.subarray(f * rows, (f + 1) * rows), codes.subarray(f * rows, (f + 1) * rows)),
  );
  return { rows, features, codes, bins, values: table.values };
}

/** Bins one column `[n]`: writes its codes and returns its bins. */
export function binColumn(column: Float32Array, codes: Uint8Array): FeatureBins {
  const missing = hasMissing(column);
  const room = MAX_BINS - (missing ? 1 : 0);
  const borders = distinctValues(column, room) ?? quantileBorders(column, room);
  const first = missing ? 1 : 0;
  writeCodes(column, new BorderIndex(borders, column.length), first, codes);
  const count = borders.length + first;
  const lowest = new Float32Array(count).fill(Infinity);
  const highest = new Float32Array(count).fill(-Infinity);
  findExtremes(column, codes, lowest, highest);
  if (missing) lowest[0] = highest[0] = NaN;
  const coarse = lowest.some((low, bin) => low < highest[bin]!);
  return { count, missing, lowest, highest, coarse };
}

function hasMissing(column: Float32Array): boolean {
  for (let i = 0; i < column.length; i++) if (column[i] !== column[i]) return true;
  return false;
}

function writeCodes(column: Float32Array, index: BorderIndex, first: number, codes: Uint8Array): void {
  for (let i = 0; i < column.length; i++) {
    const value = column[i]!;
    codes[i] = value === value ? first + index.firstNotBelow(value) : 0;
  }
}

function findExtremes(
  column: Float32Array,
  codes: Uint8Array,
  lowest: Float32Array,
  highest: Float32Array,
): void {
  for (let i = 0; i < column.length; i++) {
    const value = column[i]!;
    const bin = codes[i]!;
    if (value < lowest[bin]!) lowest[bin] = value;
    if (value > highest[bin]!) highest[bin] = value;
  }
}

/** The distinct values in order (missing left out), or undefined when there are more than `most`. */
function distinctValues(column: Float32Array, most: number): Float32Array | undefined {
  const seen = new Set<number>();
  // Where the whole column has few values, most were seen just now: a look here is quicker than one into the set.
  const recent = new Float32Array(1024).fill(NaN);
  for (let i = 0; i < column.length; i++) {
    const value = column[i]!;
    if (value !== value) continue;
    float[0] = value;
    const slot = Math.imul(bits[0]!, 0x9e37_79b1) >>> 22;
    if (recent[slot] === value) continue;
    recent[slot] = value;
    seen.add(value);
    if (seen.size > most) return undefined;
  }
  return Float32Array.from(seen).sort();
}

/** The largest value of each of at most `most` bins, increasing; the last is the column's largest value. */
function quantileBorders(column: Float32Array, most: number): Float32Array {
  const sample = sortedSample(column);
  const largest = column.reduce((a, b) => (b > a ? b : a), -Infinity);
  const borders: number[] = [];
  for (let b = 1; b < most; b++) {
    const border = sample[Math.floor((b * sample.length) / most)]!;
    if (border !== borders.at(-1) && border < largest) borders.push(border);
  }
  borders.push(largest);
  return Float32Array.from(borders);
}

/** Values that are present, in order: all, or every k-th of a long column. */
function sortedSample(column: Float32Array): Float32Array {
  const step = Math.max(1, column.length / QUANTILE_SAMPLE);
  const sample = new Float32Array(Math.min(column.length, QUANTILE_SAMPLE));
  let size = 0;
  for (let at = 0; at < column.length && size < sample.length; at += step) {
    const value = column[Math.floor(at)]!;
    if (value === value) sample[size++] = value;
  }
  return sortFloats(sample.subarray(0, size));
}
