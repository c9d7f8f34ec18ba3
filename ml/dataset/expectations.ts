import { listed, RetrainError } from '../../contracts/errors';
import { type ExpectParams } from '../../contracts/params';
import { type DataWarning } from '../../contracts/stage';
import { columnOf, textAt, type Column, type RawTable } from './raw-table';

type ColumnExpectation = NonNullable<ExpectParams[string]> & object;

/** An expectation that does not hold. */
interface Breach {
  key: string;
  what: string;
  /** Rows of the table, from 0. */
  rows: number[];
  count: number;
}

const SHOWN_ROWS = 5;

/**
 * Holds a table, as it was read, against `expect`.
 *
 * @throws RetrainError DATA_INVALID, one line with every expectation that does not hold: how many rows, and the numbers
 * of the first five (1-based, without the header).
 */
export function requireExpectations(table: RawTable, expect: ExpectParams): void {
  const { rows_min, rows_max, leakage: _, unique = [], ...columns } = expect;
  const breaches: string[] = [];
  if (rows_min !== undefined && table.rows < rows_min) {
    breaches.push(`expect.rows_min: ${table.rows} rows, expected at least ${rows_min}`);
  }
  if (rows_max !== undefined && table.rows > rows_max) {
    breaches.push(`expect.rows_max: ${table.rows} rows, expected at most ${rows_max}`);
  }
  for (const name of unique) {
    const repeated = where(table, repeats(columnOf(table, name)));
    breaches.push(
      ...shown(table, { key: 'expect.unique', what: `rows repeat a value of "${name}"`, ...repeated }),
    );
  }
  for (const [name, expectation] of Object.entries(columns)) {
    for (const breach of columnBreaches(table, name, expectation)) {
      breaches.push(...shown(table, breach));
    }
  }
  if (breaches.length > 0) {
    throw new RetrainError(
      'DATA_INVALID',
      `${table.file}: ${breaches.slice(0, 5).join('; ')}${breaches.length > 5 ? `; and ${breaches.length - 5} more` : ''}`,
    );
  }
}

function columnBreaches(table: RawTable, name: string, expectation: ColumnExpectation): Breach[] {
  const column = columnOf(table, name);
  const { min, max, missing_max, one_of } = expectation;
  const breaches: Breach[] = [];
  const add = (key: string, what: string, test: (row: number) => boolean): void => {
    breaches.push({ key: `expect.${name}.${key}`, what, ...where(table, test) });
  };
  if (column.kind === 'number') {
    const { values } = column;
    if (min !== undefined) add('min', `rows are below ${min}`, (row) => (values[row] ?? min) < min);
    if (max !== undefined) add('max', `rows are above ${max}`, (row) => (values[row] ?? max) > max);
  } else if (min !== undefined || max !== undefined) {
    throw new RetrainError(
      'CONFIG_INVALID',
      `expect.${name}: min and max are for numbers, but the column is text; use one_of`,
    );
  }
  if (one_of !== undefined) {
    const allowed = new Set(one_of);
    add('one_of', `rows are none of ${listed(one_of)}`, (row) => {
      const text = column.kind === 'text' ? textAt(column, row) : textOf(column.values[row]);
      return text !== undefined && !allowed.has(text);
    });
  }
  if (missing_max !== undefined) {
    const missing = where(table, (row) => isMissing(column, row));
    if (missing.count > missing_max * table.rows) {
      const most = `${(missing_max * 100).toPrecision(3).replace(/\.?0+$/, '')} %`;
      breaches.push({
        key: `expect.${name}.missing_max`,
        what: `rows have no value, expected at most ${most}`,
        ...missing,
      });
    }
  }
  return breaches;
}

const textOf = (value: number | undefined): string | undefined =>
  value === undefined || Number.isNaN(value) ? undefined : String(value);

function isMissing(column: Column, row: number): boolean {
  return column.kind === 'number' ? Number.isNaN(column.values[row]) : (column.codes[row] ?? -1) < 0;
}

/** Whether a row's value occurred in an earlier row; missing values repeat nothing. */
function repeats(column: Column): (row: number) => boolean {
  const seen = new Set<number>();
  return (row) => {
    const value = column.kind === 'number' ? (column.values[row] ?? Number.NaN) : (column.codes[row] ?? -1);
    if (isMissing(column, row)) return false;
    if (seen.has(value)) return true;
    seen.add(value);
    return false;
  };
}

function where({ rows }: RawTable, test: (row: number) => boolean): { rows: number[]; count: number } {
  const first: number[] = [];
  let count = 0;
  for (let row = 0; row < rows; row++) {
    if (!test(row)) continue;
    count++;
    if (first.length < SHOWN_ROWS) first.push(row);
  }
  return { rows: first, count };
}

function shown(table: RawTable, { key, what, rows, count }: Breach): string[] {
  if (count === 0) return [];
  const numbers = rows.map((row) => table.rowNumbers?.[row] ?? row + 1);
  const place = count > rows.length ? 'first at rows' : count === 1 ? 'at row' : 'at rows';
  return [`${key}: ${count} of ${table.rows} ${what} (${place} ${numbers.join(', ')})`];
}

/**
 * Holds warnings against `expect.leakage`.
 *
 * @throws RetrainError DATA_INVALID with every warning of leakage, if it is to be refused.
 */
export function requireNoLeakage(
  file: string,
  warnings: readonly DataWarning[],
  { leakage }: ExpectParams,
): void {
  const found = warnings.filter(({ kind }) => kind === 'leakage').map(({ message }) => message);
  if (leakage !== 'refuse' || found.length === 0) return;
  throw new RetrainError('DATA_INVALID', `${file}: expect.leakage: ${listed(found)}`);
}
