import { type DuckDBConnection } from '@duckdb/node-api';
import { RetrainError } from '../../../contracts/errors';
import { type ColumnPlan, planColumns, type PlannedColumn } from '../column-plan';
import { cellRules, csvFormat } from '../csv-format';
import { requireWholeGzip } from '../gzip-guard';
import { type DataFile, openDataFile } from '../data-files';
import { columnNames, type FileColumns } from '../header';
import { requireShallowJson } from '../json-depth';
import { brokenJsonLine } from '../json-lines';
import { readCsvTable, requireSameHeader, type ReadOptions, type ReadResult } from '../read-csv-table';
import { mostRows, requireRoom } from '../room';
import { asUtf8 } from '../transcode';
import { fetchTable } from './fetch-table';
import { configError, dataError, isOutOfMemory } from './query-errors';
import { requirePlainCondition, requirePlainQuery } from './query-guard';
import { type CellScan, scanOf, type CsvTypes } from './scan';
import { identifier, withDuckDb, type SessionOptions } from './session';
import { requireSound } from './sound-cells';
import { rawName, textNamesOf, typesOf, userTable, type UserTable } from './user-view';
import { holdsUnderscore } from './underscore';

export interface DuckReadOptions extends ReadOptions, SessionOptions {
  /** Query over `data` that makes the table. */
  sql?: string | undefined;
  /** Condition for the rows to keep. */
  filter?: string | undefined;
  /** Further tables that the query may join, by name. */
  extra?: Readonly<Record<string, readonly DataFile[]>> | undefined;
}

const ROW_NUMBER = '__row';

/** DuckDB's own share of a stage's memory; the rest is for the columns. */
const DUCKDB_SHARE = 0.4;

/**
 * Reads files of any format and size as one table by DuckDB. CSV that it refuses is read again by `readCsvTable`, which
 * names line and column, or reads it after all: what is wrong with a file does not depend on its size.
 *
 * A filter only chooses rows, and their cells are read as without it. A query sees numbers where all cells of a column
 * are numbers, and dates where all are ISO dates; what is text stays the text that it is.
 *
 * @param file Name of the whole for messages.
 * @throws RetrainError DATA_INVALID for data that does not fit; DATA_TOO_LARGE for a table without room; CONFIG_INVALID
 * for an SQL query or filter that DuckDB refuses, or that does more than to read the declared tables.
 */
export async function readDuckTable(
  files: readonly DataFile[],
  file: string,
  options: DuckReadOptions,
): Promise<ReadResult> {
  const { sql, filter, extra = {}, memoryBytes, signal } = options;
  const everything = [...files, ...Object.values(extra).flat()];
  for (const data of everything) {
    await requireWholeGzip(data, memoryBytes, signal);
    await requireShallowJson(data, signal);
  }
  const utf8 = await asUtf8(files, csvFormat(options), options.spillDir);
  const tables: Record<string, readonly DataFile[]> = {};
  for (const [name, more] of Object.entries(extra)) {
    tables[name] = await asUtf8(more, csvFormat(options), options.spillDir);
  }
  const common = await commonColumns(files, options);
  const plainCsv = files[0]?.format === 'csv' && sql === undefined && filter === undefined;
  const plan = plainCsv ? planColumns(common.names, files[0]?.file ?? file, options.choice) : undefined;
  const session = {
    ...options,
    ...(memoryBytes === undefined ? {} : { memoryBytes: memoryBytes * DUCKDB_SHARE }),
  };
  const paths = [...utf8, ...Object.values(tables).flat()].map(({ path }) => path);
  return withDuckDb(session, { anyQuery: sql !== undefined, paths }, async (connection) => {
    const reading = { connection, files: utf8, tables, file, options, cells: cellScan(options) };
    try {
      const read = plan === undefined ? await readByView(reading, common) : await readPlainCsv(reading, plan);
      requireSound(read, options.allowMissing);
      return read;
    } catch (error) {
      if (signal?.aborted === true) throw error;
      if (error instanceof RetrainError && error.code === 'DATA_TOO_LARGE') throw error;
      if (plainCsv && !isOutOfMemory(error)) return readCsvTable(files.map(asInput), file, options);
      if (error instanceof RetrainError) throw error;
      const broken = files[0]?.format === 'json-lines' ? await brokenJsonLine(files) : undefined;
      throw broken ?? dataError(utf8, file, error, memoryBytes);
    }
  });
}

const asInput = (data: DataFile): { source: ReturnType<typeof openDataFile>; file: string } => ({
  source: openDataFile(data),
  file: data.file,
});

function cellScan(options: ReadOptions): CellScan {
  return { csv: csvFormat(options), rules: cellRules(options) };
}

async function commonColumns(files: readonly DataFile[], options: ReadOptions): Promise<FileColumns> {
  let common: FileColumns = { names: [], index: [] };
  for (const [i, data] of files.entries()) {
    // Objects of JSON may leave keys out; all columns are known once DuckDB has looked at all of them.
    if (data.format === 'json-lines' || data.format === 'json') break;
    const columns = await columnNames(data, options.choice.target, options);
    if (i === 0) common = columns;
    else requireSameHeader(columns.names, common.names, data.file, files[0]?.file ?? '');
  }
  return common;
}

interface Reading {
  connection: DuckDBConnection;
  files: readonly DataFile[];
  /** Those to join, by name. */
  tables: Readonly<Record<string, readonly DataFile[]>>;
  file: string;
  options: DuckReadOptions;
  cells: CellScan;
}

/** CSV without a query: DuckDB parses numbers while it scans, the fastest way there is. */
async function readPlainCsv(reading: Reading, plan: ColumnPlan): Promise<ReadResult> {
  const { files, cells } = reading;
  const numbers = new Set(
    plan.columns.filter(({ kind }) => kind === 'number').map(({ position }) => position),
  );
  const names = plan.header.map((_, at) => rawName(at));
  const scan = (typed: boolean): string => {
    const types: CsvTypes = Object.fromEntries(
      names.map((name, at) => [name, typed && numbers.has(at) ? 'DOUBLE' : 'VARCHAR']),
    );
    return `(${scanOf(files, cells, names, types)})`;
  };
  const source = (from: string, isText: boolean): Source => ({
    ...{
      from,
      plan,
      nameOf: ({ position }) => rawName(position),
      isText: () => isText,
      rowNumber: undefined,
      bounded: files.every(({ gzip }) => !gzip),
    },
  });
  if (cells.rules.missing.has('nan') && !(await holdsUnderscore(files))) {
    try {
      return await fetched(reading, source(scan(true), false));
    } catch (error) {
      if (error instanceof RetrainError || isOutOfMemory(error)) throw error;
    }
  }
  // Truth values, blanks around a missing value: looked at cell by cell.
  return fetched(reading, source(scan(false), true));
}

/** Anything else: through views that a query or a filter may be put over. */
async function readByView(reading: Reading, common: FileColumns): Promise<ReadResult> {
  const { connection, files, tables, file, options, cells } = reading;
  const { sql, filter, choice } = options;
  const textNames = textNamesOf(choice);
  const names =
    common.names.length > 0
      ? common.names
      : [...(await typesOf(connection, scanOf(files, cells, [], null))).keys()];
  const data = await userTable(connection, files, names, cells, textNames);
  const columns = [...names];
  for (const [name, more] of Object.entries(tables))
    columns.push(...(await viewOfExtra(reading, name, more)));
  await connection.run(viewOf('data', data));
  const scope = { tables: ['data', ...Object.keys(tables)], columns };
  if (filter !== undefined)
    await requirePlainCondition(connection, filter, { key: 'preprocess.filter', ...scope });
  if (sql === undefined) return readFiltered(reading, data, common.index);

  await requirePlainQuery(connection, sql, { key: 'preprocess.sql', ...scope });
  await accept(reading, 'preprocess.sql', `CREATE VIEW selected AS SELECT * FROM (${withoutEnd(sql)}\n)`);
  const types = await typesOf(connection, 'SELECT * FROM selected').catch((error: unknown) => {
    throw configError('preprocess.sql', error, options.memoryBytes);
  });
  const made = [...types.keys()];
  return readKept(reading, {
    plan: planColumns(made, file, choice),
    relation: 'selected',
    raw: made,
    isText: ({ position }) => types.get(made[position] ?? '') === 'VARCHAR',
  });
}

/** Makes the view of a table to join. @returns its columns */
async function viewOfExtra(
  { connection, options, cells }: Reading,
  name: string,
  files: readonly DataFile[],
): Promise<string[]> {
  try {
    const { names } = await commonColumns(files, options);
    const own =
      names.length > 0 ? names : [...(await typesOf(connection, scanOf(files, cells, [], null))).keys()];
    await connection.run(viewOf(name, await userTable(connection, files, own, cells, [])));
    return own;
  } catch (error) {
    if (error instanceof RetrainError) throw error;
    const broken = files[0]?.format === 'json-lines' ? await brokenJsonLine(files) : undefined;
    throw broken ?? dataError(files, files[0]?.file ?? name, error, options.memoryBytes);
  }
}

/** A semicolon may end a query, but not one within brackets. */
const withoutEnd = (sql: string): string => sql.replace(/[;\s]+$/, '');

const viewOf = (name: string, { scan, columns }: UserTable): string =>
  `CREATE VIEW ${identifier(name)} AS SELECT ${columns.map(named).join(', ')} FROM (${scan})`;

const named = ({ expression, name }: UserTable['columns'][number]): string =>
  `${expression} AS ${identifier(name)}`;

/** Rows of the files as they stand there, beside what a condition sees of them. */
async function readFiltered(
  reading: Reading,
  data: UserTable,
  index: readonly string[],
): Promise<ReadResult> {
  const { columns, scan } = data;
  const plan = planColumns(
    columns.map(({ name }) => name),
    reading.files[0]?.file ?? reading.file,
    reading.options.choice,
    index,
  );
  const both = [
    ...columns.map(named),
    ...columns.map(({ raw }, at) => `${identifier(raw)} AS ${identifier(besideName(at))}`),
  ];
  await reading.connection.run(`CREATE VIEW beside AS SELECT ${both.join(', ')} FROM (${scan})`);
  return readKept(reading, {
    plan,
    relation: 'beside',
    raw: columns.map((_, at) => besideName(at)),
    isText: ({ position }) => columns[position]?.rawIsText === true,
  });
}

const besideName = (at: number): string => `__raw_${at}`;

interface Kept {
  plan: ColumnPlan;
  /** Name of a view. */
  relation: string;
  /** By position in the plan, the column of that view whose cells are read. */
  raw: readonly string[];
  isText: (column: PlannedColumn) => boolean;
}

/** Reads what the filter keeps of a view. */
async function readKept(reading: Reading, { plan, relation, raw, isText }: Kept): Promise<ReadResult> {
  const { filter } = reading.options;
  let from = relation;
  if (filter !== undefined) {
    const numbered = `(SELECT *, row_number() OVER () AS ${identifier(ROW_NUMBER)} FROM ${relation})`;
    await accept(
      reading,
      'preprocess.filter',
      `CREATE VIEW kept AS SELECT * FROM ${numbered} WHERE (${filter}\n)`,
    );
    // A condition such as IN with six values is a join inside, which mixes the rows.
    from = `kept ORDER BY ${identifier(ROW_NUMBER)}`;
  }
  const read = await fetched(reading, {
    from,
    plan,
    nameOf: ({ position }) => raw[position] ?? '',
    isText,
    rowNumber: filter === undefined ? undefined : ROW_NUMBER,
    bounded: false,
  });
  const typed = plan.columns.filter((column) => !isText(column)).map(({ name }) => name);
  return { ...read, typed: new Set(typed) };
}

interface Source {
  from: string;
  plan: ColumnPlan;
  nameOf(column: PlannedColumn): string;
  isText(column: PlannedColumn): boolean;
  rowNumber: string | undefined;
  /** Whether it has no more rows than its files have bytes. */
  bounded: boolean;
}

async function fetched(reading: Reading, { plan, ...source }: Source): Promise<ReadResult> {
  const { connection, file, options, cells } = reading;
  const { sql, filter, look = Infinity } = options;
  // One more than there is room for tells that there are too many; a plain file is as long as it is.
  const room = source.bounded ? Infinity : mostRows(plan.columns.length, options.memoryBytes) + 1;
  const most = Math.min(look, room);
  const read = await fetchTable(connection, {
    ...source,
    from: Number.isFinite(most) ? `(SELECT * FROM ${source.from} LIMIT ${most})` : source.from,
    planned: plan.columns,
    rules: cells.rules,
    onCount: (rows) => requireRoom(file, rows, plan.columns.length, options.memoryBytes),
    onRows: (rows) => options.onProgress?.(rows),
  }).catch((error: unknown) => {
    const key =
      sql === undefined ? (filter === undefined ? undefined : 'preprocess.filter') : 'preprocess.sql';
    // What goes wrong while a user's expression is computed is its fault: a cast, a time without a meaning.
    const theirs =
      key !== undefined &&
      /^(Conversion|Binder|Out of Range) Error/.test(String(error).replace(/^Error: /, ''));
    throw theirs ? configError(key, error, options.memoryBytes) : error;
  });
  if (read.rows === 0) {
    throw new RetrainError(
      'DATA_INVALID',
      filter === undefined
        ? `${file}: holds no row, expected at least 2`
        : `${file}: preprocess.filter (${filter.slice(0, 100)}) keeps no row, expected at least 2`,
    );
  }
  return { table: { file, ...read }, plan };
}

/** Runs a statement with the user's SQL in it, which has been looked through. */
async function accept({ connection, options }: Reading, key: string, statement: string): Promise<void> {
  try {
    await connection.run(statement);
  } catch (error) {
    throw configError(key, error, options.memoryBytes);
  }
}
