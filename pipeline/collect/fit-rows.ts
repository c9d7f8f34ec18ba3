import { setImmediate as breathe } from 'node:timers/promises';
import { type CollectColumn } from '../../contracts/collect-columns';
import { type CollectSource } from '../../contracts/collect-source';
import { listed, RetrainError } from '../../contracts/errors';
import { at } from '../../integrations/http-source/json-pointer';
import { dayOf } from './days';
import { type Cell, fitCell, isBelow, Misfit } from './fit-cell';

/** A row that was refused. */
export interface RefusedRow {
  /** From 0, in the order of the source. */
  row: number;
  why: string;
  value: unknown;
}

/** Rows of a source as the table that params.yaml describes. */
export interface FittedRows {
  names: string[];
  /** Each as long as `names`. */
  rows: Cell[][];
  refused: RefusedRow[];
  /** Rows that came more than once. */
  repeated: number;
  /** Names that rows have beside the columns. */
  newColumns: string[];
}

const MOST_NEW_COLUMNS = 20;
/** Days that are remembered by the minute: those of a day and more. */
const MOST_MINUTES = 3000;

/** Rows between two turns of the event loop, some 20 ms: a worker's heartbeats go on meanwhile. */
export const ROWS_PER_TURN = 5000;

/** The columns in their order, each with all that is said of it. */
export function columnsOf({
  columns,
}: Pick<CollectSource, 'columns'>): [name: string, column: CollectColumn][] {
  return Object.entries(columns).map(([name, column]) => [
    name,
    typeof column === 'string' ? { type: column, required: true } : column,
  ]);
}

/**
 * Holds rows against the columns, in turns. With `unique`, they are sorted by these, and each stays once.
 *
 * @param timezone where a day begins; `day_column` may have times
 * @throws RetrainError SOURCE_INVALID when more than `max_quarantined` of them do not fit
 */
export async function fitRows(
  source: CollectSource,
  day: string,
  given: readonly unknown[],
  timezone = 'UTC',
): Promise<FittedRows> {
  const columns = columnsOf(source);
  const names = columns.map(([name]) => name);
  const dayAt = source.day_column === undefined ? -1 : names.indexOf(source.day_column);
  const known = new Set(columns.map(([name, column]) => column.at?.split('/')[1] ?? name));
  const found: FittedRows = { names, rows: [], refused: [], repeated: 0, newColumns: [] };
  const reasons = new Map<string, number>();
  const dayIn = columns[dayAt]?.[1].type === 'time' ? daysIn(timezone) : firstTen;
  const positions: number[] = [];
  const refuse = (row: number, name: string, why: string): void => {
    const reason = name === '' ? why : `${name} ${why}`;
    found.refused.push({ row, why: reason, value: given[row] });
    reasons.set(reason, (reasons.get(reason) ?? 0) + 1);
  };
  for (const [row, value] of given.entries()) {
    if (row % ROWS_PER_TURN === ROWS_PER_TURN - 1) await breathe();
    if (typeof value !== 'object' || value === null || Array.isArray(value)) {
      refuse(
        row,
        '',
        `is ${Array.isArray(value) ? 'a list' : value === null ? 'null' : `a ${typeof value}`}, expected a mapping`,
      );
      continue;
    }
    noteNew(value, known, found.newColumns);
    const cells: Cell[] = [];
    for (const [name, column] of columns) {
      const cell = fitCell(column.at === undefined ? own(value, name) : at(value, column.at), column);
      if (cell instanceof Misfit) {
        refuse(row, name, cell.why);
        break;
      }
      cells.push(cell);
    }
    if (cells.length < columns.length) continue;
    const said = cells[dayAt];
    if (dayAt >= 0 && dayIn(said ?? null) !== day)
      refuse(row, names[dayAt] ?? '', `must be ${day}, the day that was asked for`);
    else {
      found.rows.push(cells);
      positions.push(row);
    }
  }
  if (source.unique !== undefined) keepUnique(found, positions, source.unique, refuse);
  requireFew(source, found, given.length, reasons);
  return found;
}

/** The day of a cell that says it: 2026-03-09. */
const firstTen = (cell: Cell): string => String(cell).slice(0, 10);

/** The day of a time, which is in UTC, in a zone. Looked up once for each minute, as it is slow. */
function daysIn(timezone: string): (cell: Cell) => string {
  const known = new Map<string, string>();
  if (timezone === 'UTC') return firstTen;
  return (cell) => {
    const minute = String(cell).slice(0, 16);
    const day = known.get(minute) ?? dayOf(new Date(`${minute}Z`), timezone);
    if (known.size < MOST_MINUTES) known.set(minute, day);
    return day;
  };
}

const own = (value: object, name: string): unknown =>
  Object.hasOwn(value, name) ? (value as Record<string, unknown>)[name] : undefined;

function noteNew(value: object, known: ReadonlySet<string>, into: string[]): void {
  for (const name of Object.keys(value)) {
    if (into.length >= MOST_NEW_COLUMNS) return;
    if (!known.has(name) && !into.includes(name.slice(0, 100))) into.push(name.slice(0, 100));
  }
}

/** Sorts, and keeps each key once; a second row of a key that says something else is refused. */
function keepUnique(
  found: FittedRows,
  positions: readonly number[],
  unique: readonly string[],
  refuse: (row: number, name: string, why: string) => void,
): void {
  const at = unique.map((name) => found.names.indexOf(name));
  const order = [...found.rows.keys()].sort((a, b) => {
    for (const column of at) {
      const [left, right] = [found.rows[a]?.[column] ?? null, found.rows[b]?.[column] ?? null];
      if (isBelow(left, right)) return -1;
      if (isBelow(right, left)) return 1;
    }
    return a - b;
  });
  const kept: Cell[][] = [];
  for (const index of order) {
    const row = found.rows[index] ?? [];
    const last = kept.at(-1);
    if (last === undefined || at.some((column) => last[column] !== row[column])) kept.push(row);
    else if (row.every((cell, column) => cell === last[column])) found.repeated++;
    else
      refuse(
        positions[index] ?? 0,
        '',
        `says something else than another row of the same ${unique.join(', ')}`,
      );
  }
  found.rows = kept;
}

function requireFew(
  { max_quarantined: most }: CollectSource,
  { refused, newColumns }: FittedRows,
  all: number,
  reasons: ReadonlyMap<string, number>,
): void {
  if (refused.length === 0 || refused.length <= most * all) return;
  const worst = [...reasons].sort((a, b) => b[1] - a[1]).map(([why, rows]) => `${why} (${rows})`);
  const news = newColumns.length === 0 ? '' : `; rows have, beside the columns: ${listed(newColumns)}`;
  throw new RetrainError(
    'SOURCE_INVALID',
    `${refused.length} of ${all} rows do not fit the columns, expected at most ${most * 100} %: ${listed(worst, 3)}${news}; correct columns, or max_quarantined, or have the source mend its answer; nothing was written`,
  );
}
