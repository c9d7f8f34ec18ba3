import { FLOAT32_MAX } from './cell';
import { hashText, mixAll, type Halves } from './mix-64';
import { type Column, type NumberColumn, type TextColumn } from './raw-table';

const { fround, imul, trunc } = Math;

/** `[n]` 64-bit names of rows: rows with equal values in the columns that the name is made of have equal names. */
export type RowNames = Halves;

/** Which of the two words of a float64 is the lower one on this machine. */
const LOW_WORD = new Uint32Array(Float64Array.of(1).buffer)[0] === 0 ? 0 : 1;
const HIGH_WORD = 1 - LOW_WORD;

/** The words of a missing value, be it a number or a text: those of NaN. */
const MISSING_HIGH = 0x7ff8_0000;
const MISSING_LOW = 0;

/**
 * Names rows by the content of columns, whatever their order. A value counts as what a model learns from: 1.10 is 1.1, a
 * number as text is that number, and a number with a fraction is rounded to float32, so that the same table as CSV
 * and as Parquet of floats has the same names. Whole numbers and texts count exactly, so ids stay apart.
 *
 * The name is the sum, by halves, of a 64-bit hash of each cell (with its column's name), mixed once more. Two of a
 * million different rows have the same name with a chance of 3 in 10⁸.
 */
export function nameRows(columns: readonly Column[], rows: number): RowNames {
  const names = { high: new Uint32Array(rows), low: new Uint32Array(rows) };
  const adders = columns.map((column) =>
    column.kind === 'number' ? numberAdder(column, names) : textAdder(column, names),
  );
  for (let start = 0; start < rows; start += BLOCK_ROWS) {
    for (const add of adders) add(start, Math.min(start + BLOCK_ROWS, rows));
  }
  mixAll(names, 0, 0);
  return names;
}

/** The names of some rows, in the given order. */
export function takeNames({ high, low }: RowNames, rows: Uint32Array): RowNames {
  const taken = { high: new Uint32Array(rows.length), low: new Uint32Array(rows.length) };
  for (let i = 0; i < rows.length; i++) {
    taken.high[i] = high[rows[i] ?? 0] ?? 0;
    taken.low[i] = low[rows[i] ?? 0] ?? 0;
  }
  return taken;
}

/** Adds the hashes of a column's cells to the names of rows `start` … `end` - 1. */
type Adder = (start: number, end: number) => void;

/** The names of so many rows stay in the processor's cache while all columns are added to them. */
const BLOCK_ROWS = 1024;

const ONE = new Float64Array(1);
const WORDS = new Uint32Array(ONE.buffer);

function numberAdder({ name, values }: NumberColumn, names: RowNames): Adder {
  const [seedHigh, seedLow] = hashText(name);
  return (start, end) => addNumbers(names, values, seedHigh, seedLow, start, end);
}

function addNumbers(
  { high, low }: RowNames,
  values: Float64Array,
  seedHigh: number,
  seedLow: number,
  start: number,
  end: number,
): void {
  for (let i = start; i < end; i++) {
    const value = values[i] ?? 0;
    let lower = MISSING_LOW;
    let upper = MISSING_HIGH;
    if (value === value) {
      ONE[0] = counted(value);
      lower = WORDS[LOW_WORD] ?? 0;
      upper = WORDS[HIGH_WORD] ?? 0;
    }
    // As `mixAll`, written out: this runs once for every cell of the table.
    let x = imul(lower ^ seedLow, 0x85eb_ca6b);
    x ^= x >>> 15;
    let y = imul((upper ^ seedHigh) + x, 0xc2b2_ae35);
    y ^= y >>> 13;
    x = imul(x ^ y, 0x7feb_352d);
    x ^= x >>> 16;
    y = imul(y + x, 0x846c_a68b);
    high[i] = (high[i] ?? 0) + (y ^ (y >>> 16));
    low[i] = (low[i] ?? 0) + x;
  }
}

/** Adding 0 makes -0 and 0 the same. */
function counted(value: number): number {
  return value === trunc(value) ? value + 0 : fround(value) + 0;
}

/** Hashes each level once; the last place stands for a missing value. */
function textAdder({ name, codes, levels }: TextColumn, { high, low }: RowNames): Adder {
  const [seedHigh, seedLow] = hashText(name);
  const hashes = { high: new Uint32Array(levels.length + 1), low: new Uint32Array(levels.length + 1) };
  for (const [code, level] of levels.entries()) {
    const [upper, lower] = wordsOf(level);
    hashes.high[code] = upper;
    hashes.low[code] = lower;
  }
  hashes.high[levels.length] = MISSING_HIGH;
  hashes.low[levels.length] = MISSING_LOW;
  mixAll(hashes, seedHigh, seedLow);
  return (start, end) => {
    for (let i = start; i < end; i++) {
      const code = codes[i] ?? -1;
      const at = code < 0 ? levels.length : code;
      high[i] = (high[i] ?? 0) + (hashes.high[at] ?? 0);
      low[i] = (low[i] ?? 0) + (hashes.low[at] ?? 0);
    }
  };
}

const PLAIN_NUMBER = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/;

/** With more digits than these, float64 may take two different ids for one number. */
const MOST_DIGITS = 15;

function wordsOf(text: string): readonly [high: number, low: number] {
  if (text.length <= 24 && PLAIN_NUMBER.test(text)) {
    const value = Number(text);
    if (digitsOf(text) <= MOST_DIGITS && Math.abs(value) <= FLOAT32_MAX) {
      ONE[0] = counted(value);
      return [WORDS[HIGH_WORD] ?? 0, WORDS[LOW_WORD] ?? 0];
    }
  }
  return hashText(text);
}

const digitsOf = (text: string): number => text.replace(/[eE].*$/, '').replace(/\D/g, '').length;
