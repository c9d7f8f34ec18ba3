import { CellRules } from '../../ml/dataset/cell';
import { type ModelField } from '../model/served-model';
import { Problem } from './problem';

const RULES = new CellRules();

/** A row of cells that is no mapping yet: an object of its own, whatever the columns are called. */
export type Row = Record<string, unknown>;

/** Rows from lists of cells, by the names of their columns. @throws Problem 422 for a row of another width */
export function rowsOfLists(columns: readonly string[], data: readonly (readonly unknown[])[]): Row[] {
  return data.map((cells, at) => {
    if (cells.length !== columns.length) {
      throw new Problem(
        422,
        'rows',
        `row ${at} has ${cells.length} values, expected ${columns.length}: ${shownNames(columns)}`,
        {
          errors: [
            { row: at, field: '', seen: `${cells.length} values`, expected: `${columns.length} values` },
          ],
        },
      );
    }
    return rowOf(columns, cells);
  });
}

function rowOf(columns: readonly string[], cells: readonly unknown[]): Row {
  return Object.fromEntries(columns.map((name, i) => [name, cells[i]]));
}

const shownNames = (columns: readonly string[]): string =>
  `${columns.slice(0, 5).join(', ')}${columns.length > 5 ? ' …' : ''}`;

/**
 * Rows with cells as pandas users have them: a number may stand as text, a text as a whole number, and a missing value as any word that
 * tables have for it. What still is of the wrong type stays, for the model to name.
 */
export function asPandasTakes(fields: readonly ModelField[], rows: readonly unknown[]): unknown[] {
  const kindOf = new Map(fields.map(({ name, type }) => [plain(name), type]));
  return rows.map((row) => {
    if (typeof row !== 'object' || row === null || Array.isArray(row)) return row;
    return Object.fromEntries(
      Object.entries(row).map(([name, cell]) => [name, converted(cell, kindOf.get(plain(name)))]),
    );
  });
}

/** As the model compares names. */
const plain = (name: string): string => name.toLowerCase().replace(/[-_ ]/g, '');

function converted(cell: unknown, type: ModelField['type'] | undefined): unknown {
  if (type === 'text') {
    if (typeof cell === 'number' && Number.isFinite(cell)) return String(cell);
    return typeof cell === 'string' && RULES.isMissing(cell) ? null : cell;
  }
  if (type === 'boolean') {
    if (typeof cell !== 'string') return cell;
    return /^true$/i.test(cell) ? true : /^false$/i.test(cell) ? false : cell;
  }
  if (type === undefined) return cell;
  if (typeof cell === 'boolean') return cell ? 1 : 0;
  if (typeof cell !== 'string') return cell;
  const value = RULES.parseNumber(cell);
  return typeof value === 'string' ? cell : Number.isNaN(value) ? null : value;
}
