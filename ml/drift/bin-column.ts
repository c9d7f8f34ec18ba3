import { type Column, type NumberColumn, type TextColumn } from '../dataset/raw-table';
import { sortNumbers } from '../dataset/sort-numbers';

/** Bins of a number, about as many rows in each; PSI is read against limits that were found with ten. */
const NUMBER_BINS = 10;

/** Levels of a text that have a bin of their own: those that at least this share of the rows have. */
const RARE = 0.005;
const MOST_LEVELS = 50;

/**
 * Two samples of a column over the same bins, which both set together: levels that were chosen for being frequent in one are less so in any
 * other, without any drift. The last bin is that of missing values.
 */
export interface BinnedColumn {
  /** What each bin holds, for people: `up to 5.1`, `France`, `missing`. */
  bins: string[];
  /** `[k]` rows */
  reference: Float64Array;
  /** `[k]` rows */
  current: Float64Array;
  /** `[n]` the bin of each reference row. */
  referenceBins: Uint8Array;
  /** Current rows with a value that the reference never had: beyond its least and largest, or a level of its own. */
  strange: number;
  /** Levels that the reference does not have, in the order of their first appearance, at most ten; of a number none. */
  newLevels: string[];
  /** Levels that one reference row alone has; of a number null. */
  single: number | null;
}

/** @throws RangeError when one is a number and the other is none */
export function binColumn(reference: Column, current: Column): BinnedColumn {
  if (reference.kind === 'number' && current.kind === 'number') return binNumbers(reference, current);
  if (reference.kind === 'text' && current.kind === 'text') return binTexts(reference, current);
  throw new RangeError(`${reference.name} is ${reference.kind} in one and ${current.kind} in the other`);
}

function binNumbers(reference: NumberColumn, current: NumberColumn): BinnedColumn {
  const [before, now] = [presentIn(reference), presentIn(current)];
  const borders = bordersOf(before, now);
  let [least, largest] = [Infinity, -Infinity];
  for (const value of before) {
    if (value < least) least = value;
    if (value > largest) largest = value;
  }
  let strange = 0;
  for (const value of now) if (value < least || value > largest) strange++;
  const names = borders.map((border) => `up to ${Number(border.toPrecision(4))}`);
  const last = borders.at(-1);
  names.push(last === undefined ? 'any number' : `above ${Number(last.toPrecision(4))}`);
  const binsBefore = binsOfNumbers(reference.values, borders);
  return {
    bins: [...names, 'missing'],
    reference: counted(binsBefore, borders.length + 2),
    current: counted(binsOfNumbers(current.values, borders), borders.length + 2),
    referenceBins: binsBefore,
    strange,
    newLevels: [],
    single: null,
  };
}

const presentIn = ({ values }: NumberColumn): Float64Array => values.filter((value) => !Number.isNaN(value));

/** Largest values of all bins but the last: equal shares of both; a value that many rows have is a bin of its own. */
function bordersOf(before: Float64Array, now: Float64Array): number[] {
  const both = new Float64Array(before.length + now.length);
  both.set(before);
  both.set(now, before.length);
  const sorted = sortNumbers(both);
  const borders: number[] = [];
  for (let bin = 1; bin < NUMBER_BINS; bin++) {
    const value = sorted[Math.ceil((bin * sorted.length) / NUMBER_BINS) - 1];
    if (value !== undefined && value !== borders.at(-1) && value < (sorted.at(-1) ?? value)) {
      borders.push(value);
    }
  }
  return borders;
}

function binsOfNumbers(values: Float64Array, borders: readonly number[]): Uint8Array {
  return Uint8Array.from(values, (value) => {
    if (Number.isNaN(value)) return borders.length + 1;
    let bin = 0;
    while (bin < borders.length && value > borders[bin]!) bin++;
    return bin;
  });
}

/** `[k]` rows of each bin. */
function counted(bins: Uint8Array, k: number): Float64Array {
  const counts = new Float64Array(k);
  for (const bin of bins) counts[bin]!++;
  return counts;
}

function binTexts(reference: TextColumn, current: TextColumn): BinnedColumn {
  const [before, now] = [rowsByLevel(reference), rowsByLevel(current)];
  const rowsOf = new Map(before);
  for (const [level, rows] of now) rowsOf.set(level, rows + (rowsOf.get(level) ?? 0));
  const least = RARE * (reference.codes.length + current.codes.length);
  const own = [...rowsOf]
    .filter(([, rows]) => rows >= least)
    .sort(([a, rows], [b, others]) => others - rows || (a < b ? -1 : 1))
    .slice(0, MOST_LEVELS)
    .map(([level]) => level);
  const binOf = new Map(own.map((level, bin) => [level, bin]));
  const binned = ({ codes, levels }: TextColumn): Uint8Array => {
    const bins = levels.map((level) => binOf.get(level) ?? own.length);
    return Uint8Array.from(codes, (code) => (code < 0 ? own.length + 1 : bins[code]!));
  };
  const binsBefore = binned(reference);
  const unknown = [...now].filter(([level]) => !before.has(level));
  return {
    bins: [...own, 'others', 'missing'],
    reference: counted(binsBefore, own.length + 2),
    current: counted(binned(current), own.length + 2),
    referenceBins: binsBefore,
    strange: unknown.reduce((sum, [, rows]) => sum + rows, 0),
    newLevels: unknown.slice(0, 10).map(([level]) => level),
    single: [...before.values()].filter((rows) => rows === 1).length,
  };
}

/** Levels that a row has, with how many have each, in the column's order. */
function rowsByLevel({ codes, levels }: TextColumn): Map<string, number> {
  const counts = new Float64Array(levels.length);
  for (const code of codes) if (code >= 0) counts[code]!++;
  return new Map(
    [...levels.entries()].flatMap(([code, level]) => (counts[code]! > 0 ? [[level, counts[code]!]] : [])),
  );
}
