import { createHash } from 'node:crypto';
import { type CollectSource } from '../../contracts/collect-source';
import { type Cell, isBelow, utc } from './fit-cell';
import { columnsOf } from './fit-rows';

/** How far a source that only grows was collected. */
export interface Watermark {
  /** Highest value so far, as text; empty: none. */
  value: string;
  /** Hashes of the rows that have this very value: the next answer may begin with them. */
  boundary: string[];
}

/** More rows than these with one value, and some may come twice. */
const MOST_BOUNDARY = 10_000;

/**
 * The rows that were not collected before, and how far they reach. Rows at the watermark itself are told apart by their content, as
 * a source may begin with it or after it, and may add to it.
 */
export function afterWatermark(
  source: CollectSource,
  names: readonly string[],
  rows: readonly Cell[][],
  before: Watermark,
): { rows: Cell[][]; known: number; after: Watermark } {
  const { watermark } = source;
  if (watermark === undefined) return { rows: [...rows], known: 0, after: before };
  const column = names.indexOf(watermark.column);
  const isNumber = columnsOf(source).some(
    ([name, { type }]) => name === watermark.column && /number|integer/.test(type),
  );
  const valueOf = (text: string): Cell =>
    text === '' ? null : isNumber ? Number(text) : (utc(text) ?? text);
  const low = valueOf(before.value);
  const met = new Set(before.boundary);
  const kept = rows.filter((row) => {
    const cell = row[column] ?? null;
    return !isBelow(cell, low) && (cell !== low || !met.has(hashOf(row)));
  });
  let high = low;
  for (const row of kept) if (isBelow(high, row[column] ?? null)) high = row[column] ?? null;
  const boundary = kept.filter((row) => row[column] === high).map(hashOf);
  const after =
    high === low
      ? { value: before.value, boundary: [...before.boundary, ...boundary] }
      : { value: String(high), boundary };
  return {
    rows: kept,
    known: rows.length - kept.length,
    after: { ...after, boundary: after.boundary.slice(0, MOST_BOUNDARY) },
  };
}

const hashOf = (row: readonly Cell[]): string =>
  createHash('sha256').update(JSON.stringify(row)).digest('hex').slice(0, 16);
