import { type DuckDBConnection } from '@duckdb/node-api';
import { type ColumnChoice } from '../column-plan';
import { type DataFile } from '../data-files';
import { asText, type CellScan, scanOf } from './scan';
import { identifier } from './session';

/** The columns of a table as a user's SQL sees them. */
export interface UserColumn {
  /** Its name in the file. */
  name: string;
  /** The same column as it stands in the file. */
  raw: string;
  /** Whether `raw` is text. */
  rawIsText: boolean;
  /** SQL that makes of `raw` what a user expects to count with. */
  expression: string;
}

/** Files of one format as SQL sees them. */
export interface UserTable {
  /** A query whose columns are the `raw` ones. */
  scan: string;
  columns: UserColumn[];
}

/** DuckDB's types that are no rewriting of JSON or CSV text, once it was found that they fit every cell. */
const COUNTABLE = /^(BIGINT|HUGEINT|DOUBLE|DATE|TIMESTAMP|BOOLEAN)$/;

/**
 * Finds out what a user's SQL should see of files: numbers to count with, dates to compare, texts as they stand
 * there. What is in Parquet has its types; of CSV and JSON all rows are looked at.
 *
 * @param names Of CSV: its header; of others, all columns that occur.
 * @param textNames Columns that go on as texts (the target of a classification, encoded ones): numbers only if
 * each of their cells can be had back from the number.
 */
export async function userTable(
  connection: DuckDBConnection,
  files: readonly DataFile[],
  names: readonly string[],
  cells: CellScan,
  textNames: readonly string[],
): Promise<UserTable> {
  const format = files[0]?.format;
  const own = format === 'csv' ? names.map((_, at) => rawName(at)) : names;
  const types = await typesOf(connection, scanOf(files, cells, own, null));
  if (format === 'parquet') {
    const columns = names.map((name) => ({
      name,
      raw: name,
      rawIsText: types.get(name) === 'VARCHAR',
      expression: identifier(name),
    }));
    return { scan: scanOf(files, cells, [], null), columns };
  }
  const scan = scanOf(files, cells, own, asText(own));
  const columns = [];
  for (const [at, name] of names.entries()) {
    const raw = own[at] ?? name;
    const type = types.get(raw) ?? 'VARCHAR';
    const countable =
      COUNTABLE.test(type) &&
      (!textNames.includes(name) || (await comesBack(connection, scan, identifier(raw), type)));
    columns.push({
      name,
      raw,
      rawIsText: true,
      expression: countable ? converted(identifier(raw), type, cells) : identifier(raw),
    });
  }
  return { scan, columns };
}

/** Columns of CSV go by their places: DuckDB does not tell names that differ in case only apart. */
export const rawName = (at: number): string => `__${at}`;

function converted(raw: string, type: string, { csv }: CellScan): string {
  const text = csv.decimal === ',' && type === 'DOUBLE' ? `replace(${raw}, ',', '.')` : raw;
  return `TRY_CAST(${text} AS ${type})`;
}

async function comesBack(
  connection: DuckDBConnection,
  scan: string,
  raw: string,
  type: string,
): Promise<boolean> {
  if (type !== 'BIGINT') return false;
  const lost = await connection.runAndReadAll(
    `SELECT count(*)::INTEGER FROM (${scan}) WHERE CAST(TRY_CAST(${raw} AS BIGINT) AS VARCHAR) IS DISTINCT FROM ${raw}`,
  );
  return lost.getRows()[0]?.[0] === 0;
}

/** Names and DuckDB's types of the columns of a query, in their order. */
export async function typesOf(connection: DuckDBConnection, query: string): Promise<Map<string, string>> {
  const [names = [], types = []] = (await connection.runAndReadAll(`DESCRIBE ${query}`)).getColumns();
  return new Map(names.map((name, at) => [String(name), String(types[at])]));
}

/** Columns whose text counts, by their names in the file and by those that they get. */
export function textNamesOf(choice: ColumnChoice): string[] {
  const wanted = [
    ...(choice.regression === true ? [] : [choice.target]),
    ...(choice.encode ?? []),
    ...(choice.checked ?? []).filter(({ kind }) => kind === 'text').map(({ name }) => name),
    ...[choice.groupBy, choice.timeBy].filter((name) => name !== undefined),
  ];
  const before = Object.entries(choice.rename)
    .filter(([, name]) => wanted.includes(name))
    .map(([old]) => old);
  return [...wanted, ...before];
}
