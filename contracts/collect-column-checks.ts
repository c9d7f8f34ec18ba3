import { z } from 'zod';

/** Name of a column of a source: no file can hold half a character, and no SQL names what has a control character. */
export const columnName = z
  .string()
  .min(1)
  .max(200)
  .regex(/^[^\p{Cc}\p{Surrogate}]+$/u, 'must be a name without control characters');

type Mistake = [path: string[], message: string, input: unknown];

/** What is wrong with columns as a whole, and with where a watermark starts in one. */
export function columnMistakes(
  columns: Readonly<Record<string, string | { type: string }>>,
  watermark: { column: string; start: string } | undefined,
): Mistake[] {
  const twin = twinOf(Object.keys(columns));
  const found: Mistake[] =
    twin === undefined
      ? []
      : [[['columns'], 'must not have two names that differ in upper and lower case only', twin]];
  if (watermark === undefined || !Object.hasOwn(columns, watermark.column)) return found;
  const { column: name, start } = watermark;
  const column = columns[name];
  const type = typeof column === 'object' ? column.type : (column ?? '');
  if (canStart(start, type)) return found;
  return [...found, [['watermark', 'start'], `must be a value of ${name}, of type ${type}`, start]];
}

/** A name that another one has in upper or lower case: SQL takes `Price` for `price`. Undefined: there is none. */
function twinOf(names: readonly string[]): string | undefined {
  const known = new Set<string>();
  return names.find((name) => known.size === known.add(name.toLowerCase()).size);
}

/** Empty: at the beginning. */
function canStart(text: string, type: string): boolean {
  if (text === '' || type === 'text') return true;
  if (type === 'number' || type === 'integer') return text.trim() !== '' && Number.isFinite(Number(text));
  return /^\d{4}-\d{2}-\d{2}/.test(text) && !Number.isNaN(Date.parse(text));
}
