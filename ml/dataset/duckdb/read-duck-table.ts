import { type DuckDBConnection } from '@duckdb/node-api';
import { RetrainError } from '../../../contracts/errors';
import { FLOAT32_MAX, shownCell } from '../cell';
import { type ColumnPlan, planColumns, type PlannedColumn } from '../column-plan';
import { type DataFile, openDataFile } from '../data-files';
import { columnNames } from '../header';
import { brokenJsonLine } from '../json-lines';
import { type Column, type RawTable } from '../raw-table';
import {
  missingNumber,
  readCsvTable,
  requireSameHeader,
  type ReadOptions,
  type ReadResult,
} from '../read-csv-table';
import { fetchTable } from './fetch-table';
import { scanOf, type CsvTypes } from './scan';
import { identifier, withDuckDb, type SessionOptions } from './session';

export interface DuckReadOptions extends ReadOptions, SessionOptions {
  /** Query over `data` that makes the table. */
  sql?: string | undefined;
  /** Condition for the rows to keep. */
  filter?: string | undefined;
}

const ROW_NUMBER = '__row';

/**
 * Reads files of any format and size as one table by DuckDB. CSV that it refuses is read again by `readCsvTable`, which
 * names line and column, or reads it after all: what is wrong with a file does not depend on its size.
 *
 * @param file Name of the whole for messages.
 * @throws RetrainError DATA_INVALID for data that does not fit; CONFIG_INVALID for an SQL query or filter that DuckDB
 * refuses.
 */
export async function readDuckTable(
  files: readonly DataFile[],
  file: string,
  options: DuckReadOptions,
): Promise<ReadResult> {
  const header = await commonHeader(files, options.choice.target);
  const { sql, filter } = options;
  const plainCsv = files[0]?.format === 'csv' && sql === undefined && filter === undefined;
  const plan = sql === undefined ? planColumns(header, files[0]?.file ?? file, options.choice) : undefined;
  return withDuckDb(options, { anyQuery: sql !== undefined }, async (connection) => {
    try {
      await createView(
        connection,
        scanOf(files, header, plainCsv && plan !== undefined ? typesOf(plan) : null),
      );
      const read = await readView(connection, file, plan, options);
      requireSound(read, options.allowMissing);
      return read;
    } catch (error) {
      if (options.signal?.aborted === true) throw error;
      if (plainCsv) return readCsvTable(files.map(asInput), file, options);
      if (error instanceof RetrainError) throw error;
      const broken = files[0]?.format === 'json-lines' ? await brokenJsonLine(files) : undefined;
      throw broken ?? dataError(files, file, error);
    }
  });
}

const asInput = (data: DataFile): { source: ReturnType<typeof openDataFile>; file: string } => ({
  source: openDataFile(data),
  file: data.file,
});

async function commonHeader(files: readonly DataFile[], target: string): Promise<string[]> {
  let common: string[] = [];
  for (const [i, data] of files.entries()) {
    const header = await columnNames(data, target);
    if (i === 0) common = header;
    // Lines of JSON may leave keys out; DuckDB unites them.
    else if (data.format !== 'json-lines') requireSameHeader(header, common, data.file, files[0]?.file ?? '');
  }
  return common;
}

function typesOf({ header, columns }: ColumnPlan): CsvTypes {
  const numbers = new Set(columns.filter(({ kind }) => kind === 'number').map(({ position }) => position));
  return Object.fromEntries(header.map((name, at) => [name, numbers.has(at) ? 'DOUBLE' : 'VARCHAR']));
}

async function createView(connection: DuckDBConnection, scan: string): Promise<void> {
  await connection.run(`CREATE VIEW data AS ${scan}`);
}

async function readView(
  connection: DuckDBConnection,
  file: string,
  planned: ColumnPlan | undefined,
  options: DuckReadOptions,
): Promise<ReadResult> {
  const { sql, filter, onProgress } = options;
  let from = 'data';
  if (sql !== undefined) {
    await accept(connection, 'preprocess.sql', `CREATE VIEW selected AS SELECT * FROM (${sql}\n)`);
    from = 'selected';
  }
  // Without a query the columns are those of the file; JSON lines may have more in later lines.
  const plan = planned ?? planColumns(await columnsOf(connection, from), file, options.choice);
  if (filter !== undefined) {
    const numbered = `(SELECT *, row_number() OVER () AS ${identifier(ROW_NUMBER)} FROM ${from})`;
    await accept(
      connection,
      'preprocess.filter',
      `CREATE VIEW kept AS SELECT * FROM ${numbered} WHERE (${filter}\n)`,
    );
    // A condition such as IN with six values is a join inside, which mixes the rows.
    from = `kept ORDER BY ${identifier(ROW_NUMBER)}`;
  }
  const fetched = await fetchTable(
    connection,
    from,
    plan.header,
    plan.columns,
    filter === undefined ? undefined : ROW_NUMBER,
    (rows) => onProgress?.(rows),
  );
  if (fetched.rows === 0) {
    throw new RetrainError(
      'DATA_INVALID',
      filter === undefined
        ? `${file}: holds no row, expected at least 2`
        : `${file}: preprocess.filter (${filter}) keeps no row, expected at least 2`,
    );
  }
  return { table: { file, ...fetched }, plan };
}

async function columnsOf(connection: DuckDBConnection, table: string): Promise<string[]> {
  const described = await connection.runAndReadAll(`DESCRIBE ${table}`);
  return described.getColumns()[0]?.map(String) ?? [];
}

/** Runs a statement with the user's SQL in it. */
async function accept(connection: DuckDBConnection, key: string, statement: string): Promise<void> {
  try {
    await connection.run(statement);
  } catch (error) {
    throw new RetrainError('CONFIG_INVALID', `${key}: ${oneLine(error)}`, { cause: error });
  }
}

function requireSound({ table, plan }: ReadResult, allowMissing: boolean): void {
  for (const [f, planned] of plan.columns.entries()) {
    const column = table.columns[f];
    if (column === undefined || isPlainlySound(column, planned, allowMissing)) continue;
    const cells: ArrayLike<number> = column.kind === 'number' ? column.values : column.codes;
    for (let row = 0; row < table.rows; row++) {
      const problem = problemOf(cells[row] ?? 0, planned, allowMissing);
      if (problem !== undefined) throw cellError(table, planned, row, problem);
    }
  }
}

/** A quick look at the whole column; what does not pass it is looked at cell by cell. */
function isPlainlySound(column: Column, { role }: PlannedColumn, allowMissing: boolean): boolean {
  const mayMiss = role === 'extra' || (role === 'feature' && allowMissing);
  if (column.kind === 'text') return mayMiss || !column.codes.includes(-1);
  const { values } = column;
  let missing = 0;
  let beyond = 0;
  for (let row = 0; row < values.length; row++) {
    const value = values[row]!;
    if (value !== value) missing++;
    else if (value > FLOAT32_MAX || value < -FLOAT32_MAX) beyond++;
  }
  return beyond === 0 && (mayMiss || missing === 0);
}

function problemOf(cell: number, { kind, role }: PlannedColumn, allowMissing: boolean): string | undefined {
  if (kind === 'number' && Math.abs(cell) > FLOAT32_MAX) {
    return Number.isFinite(cell)
      ? `${shownCell(String(cell))} is beyond the range of float32 (±3.4e38)`
      : 'the value is text or infinite, expected a number; encode the column (preprocess.encode) or drop it';
  }
  if (!(kind === 'number' ? Number.isNaN(cell) : cell < 0)) return undefined;
  if (role === 'target')
    return 'the target is missing; every row needs one, so leave it out (preprocess.filter)';
  return role === 'feature' && !allowMissing ? missingNumber('null') : undefined;
}

function cellError(table: RawTable, { name }: PlannedColumn, row: number, problem: string): RetrainError {
  return new RetrainError(
    'DATA_INVALID',
    `${table.file}: row ${table.rowNumbers?.[row] ?? row + 1}, column "${name}": ${problem}`,
  );
}

function dataError(files: readonly DataFile[], file: string, error: unknown): RetrainError {
  return new RetrainError('DATA_INVALID', `${file}: ${named(files, oneLine(error))}`, { cause: error });
}

/** DuckDB's messages have a first line, hints and an excerpt of the query. */
function oneLine(error: unknown): string {
  const lines = messageOf(error)
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '' && !line.startsWith('LINE ') && !line.startsWith('^'));
  const joined = lines.slice(0, 2).join(' ');
  return joined.length > 300 ? `${joined.slice(0, 299)}…` : joined;
}

/** By shape, as errors from native code may be of another realm. */
function messageOf(error: unknown): string {
  return typeof error === 'object' &&
    error !== null &&
    'message' in error &&
    typeof error.message === 'string'
    ? error.message
    : String(error);
}

/** DuckDB names files by their paths in the store, which tell a reader nothing. */
function named(files: readonly DataFile[], message: string): string {
  return files.reduce((text, { path, file }) => text.replaceAll(path, file), message);
}
