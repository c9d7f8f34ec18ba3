import { type CellType, type CollectColumn } from '../../contracts/collect-columns';

/** What a row has in a column; null: nothing. */
export type Cell = string | number | boolean | null;

const MOST_TEXT = 10_000;
/** A surrogate without its other half, as JSON's escapes allow: "\\ud800". */
const HALF = /\p{Surrogate}/u;
const NUMBER = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i;
const TIME = /^\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}(:\d{2}(\.\d{1,9})?)?(Z|[+-]\d{2}(:?\d{2})?)$/;
/** PostgreSQL leaves out the minutes of a zone that has none. */
const HOURS_ONLY = /[+-]\d{2}$/;

/** Why a value does not fit a column: the end of a sentence that begins with the column’s name. */
export class Misfit {
  constructor(readonly why: string) {}
}

/**
 * A value of a source as a cell of its column. Numbers may come as texts; times become UTC, so that their texts are in their order.
 *
 * @param value undefined: the row does not have it
 */
export function fitCell(
  value: unknown,
  { type, required, min, max, one_of: oneOf }: CollectColumn,
): Cell | Misfit {
  if (value === undefined || value === null) {
    return required ? new Misfit(value === undefined ? 'is missing' : 'is null') : null;
  }
  const cell = ofType(value, type);
  if (cell instanceof Misfit) return cell;
  if (oneOf !== undefined && !oneOf.includes(String(cell)))
    return new Misfit(`must be one of ${oneOf.slice(0, 5).join(', ')}`);
  if (min !== undefined && isBelow(cell, bound(min, type))) return new Misfit(`must be ≥ ${min}`);
  if (max !== undefined && isBelow(bound(max, type), cell)) return new Misfit(`must be ≤ ${max}`);
  return cell;
}

function ofType(value: unknown, type: CellType): Cell | Misfit {
  switch (type) {
    case 'text':
      if (typeof value !== 'string') return misfit('a text', value);
      // No file can hold one: as JSON no reader takes it, as Parquet it becomes what other texts become, too.
      if (HALF.test(value)) return new Misfit('must be a text of Unicode, got one with half a character');
      return value.length <= MOST_TEXT
        ? value
        : new Misfit(`must be a text of at most ${MOST_TEXT} characters`);
    case 'number':
    case 'integer': {
      const number = typeof value === 'string' && NUMBER.test(value) ? Number(value) : value;
      if (typeof number !== 'number' || !Number.isFinite(number))
        return misfit(type === 'integer' ? 'an integer' : 'a number', value);
      if (type === 'integer' && !Number.isSafeInteger(number))
        return misfit('an integer within ±2^53', value);
      // -0 is another text than 0.
      return number === 0 ? 0 : number;
    }
    case 'boolean':
      return typeof value === 'boolean' ? value : misfit('true or false', value);
    case 'date':
      return typeof value === 'string' && isDate(value) ? value : misfit('a day such as 2026-03-09', value);
    case 'time':
      return (
        (typeof value === 'string' ? utc(value) : null) ??
        misfit('a time such as 2026-03-09T12:00:00Z', value)
      );
  }
}

/** Of the same kind as the cell, so that both can be compared. */
const bound = (value: string | number, type: CellType): Cell =>
  type === 'time' && typeof value === 'string' ? (utc(value) ?? value) : value;

/** Whether one cell comes before another: numbers by size, texts by UTF-16 code unit, nothing before all. */
export function isBelow(a: Cell, b: Cell): boolean {
  if (a === null || b === null) return a === null && b !== null;
  return a < b;
}

/** Rows of a day have the same days and times again and again. */
const MOST_REMEMBERED = 10_000;

function remembered<T>(find: (text: string) => T): (text: string) => T {
  const known = new Map<string, T>();
  return (text) => {
    const before = known.get(text);
    if (before !== undefined) return before;
    const found = find(text);
    if (known.size >= MOST_REMEMBERED) known.clear();
    if (text.length <= 40) known.set(text, found);
    return found;
  };
}

/** A point in time in UTC, in milliseconds; null: it is none. */
export const utc = remembered((text: string): string | null => {
  if (!TIME.test(text) || !isDate(text.slice(0, 10))) return null;
  const at = new Date(text.replace(' ', 'T').replace(HOURS_ONLY, '$&:00'));
  if (Number.isNaN(at.getTime())) return null;
  const iso = at.toISOString();
  return /^\d{4}-/.test(iso) ? iso : null;
});

const isDate = remembered((text: string): boolean => {
  if (!/^\d{4}-\d{2}-\d{2}$/.test(text)) return false;
  const at = new Date(`${text}T00:00:00Z`);
  return !Number.isNaN(at.getTime()) && at.toISOString().startsWith(text);
});

function misfit(expected: string, value: unknown): Misfit {
  const kind = Array.isArray(value)
    ? 'a list'
    : typeof value === 'object'
      ? 'a mapping'
      : typeof value === 'string'
        ? 'another text'
        : `a ${typeof value}`;
  return new Misfit(`must be ${expected}, got ${kind}`);
}
