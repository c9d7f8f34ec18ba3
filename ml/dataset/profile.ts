import { type ColumnProfile, type TableProfile } from '../../contracts/stage';
import { quantile } from '../metrics/quantile';
import { byCodePoint } from './code-point-order';
import { type NumberColumn, type RawTable, type TextColumn } from './raw-table';
import { sortNumbers } from './sort-numbers';

/** Shares of `ColumnProfile.quantiles`. */
export const QUANTILES = [0, 0.01, 0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99, 1] as const;

const HISTOGRAM_BINS = 20;
const MOST_FREQUENT = 50;

/** Describes every column of a table: the features' and the target's. */
export function profileTable(
  table: RawTable,
  names: readonly string[],
  target: string,
  rowsRead: number,
): TableProfile {
  return {
    rows: table.rows,
    rowsRead,
    target,
    columns: table.columns
      .filter(({ name }) => names.includes(name) || name === target)
      .map((column) => (column.kind === 'number' ? numberProfile(column) : textProfile(column))),
  };
}

function numberProfile({ name, values }: NumberColumn): ColumnProfile {
  const present = sortNumbers(presentIn(values));
  const missing = values.length - present.length;
  const min = present[0];
  const max = present.at(-1);
  if (min === undefined || max === undefined) {
    return {
      kind: 'number',
      name,
      missing,
      min: null,
      max: null,
      mean: null,
      deviation: null,
      quantiles: [],
      histogram: [],
    };
  }
  let sum = 0;
  for (let i = 0; i < present.length; i++) sum += present[i]!;
  const mean = sum / present.length;
  let squares = 0;
  for (let i = 0; i < present.length; i++) squares += (present[i]! - mean) ** 2;
  return {
    kind: 'number',
    name,
    missing,
    min,
    max,
    mean,
    deviation: present.length > 1 ? Math.sqrt(squares / (present.length - 1)) : 0,
    quantiles: QUANTILES.map((share) => quantile(present, share)),
    histogram: histogram(present, min, max),
  };
}

/** The values that are not missing. Loops here and above: a call per value takes several times as long. */
function presentIn(values: Float64Array): Float64Array {
  const present = new Float64Array(values.length);
  let size = 0;
  for (let i = 0; i < values.length; i++) {
    const value = values[i]!;
    if (value === value) present[size++] = value;
  }
  return present.subarray(0, size);
}

function histogram(present: Float64Array, min: number, max: number): number[] {
  const counts = new Array<number>(HISTOGRAM_BINS).fill(0);
  const width = (max - min) / HISTOGRAM_BINS;
  for (const value of present) {
    const bin = width === 0 ? 0 : Math.min(HISTOGRAM_BINS - 1, Math.floor((value - min) / width));
    counts[bin] = (counts[bin] ?? 0) + 1;
  }
  return counts;
}

function textProfile({ name, codes, levels }: TextColumn): ColumnProfile {
  const counts = new Float64Array(levels.length);
  let missing = 0;
  for (const code of codes) {
    if (code < 0) missing++;
    else counts[code] = (counts[code] ?? 0) + 1;
  }
  const found = levels
    .map((value, code) => ({ value, rows: counts[code] ?? 0 }))
    .filter(({ rows }) => rows > 0)
    .sort((a, b) => b.rows - a.rows || byCodePoint(a.value, b.value));
  return { kind: 'text', name, missing, distinct: found.length, top: found.slice(0, MOST_FREQUENT) };
}
