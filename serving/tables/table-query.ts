import { type DuckDBConnection } from '@duckdb/node-api';
import { type DataFile } from '../../ml/dataset/data-files';
import {
  asText,
  type CellScan,
  numberExpression,
  scanOf,
  textNumberExpression,
} from '../../ml/dataset/duckdb/scan';
import { identifier } from '../../ml/dataset/duckdb/session';
import { type ColumnMatch } from './match-columns';

/** A table that can be read batch by batch, in the order of its rows. */
export interface TableSource {
  /** Names of all columns. */
  names: readonly string[];
  connection: DuckDBConnection;
  files: readonly DataFile[];
  cells: CellScan;
  /** DuckDB's types of the columns, as the file has them; of CSV and JSON all are text. */
  types: ReadonlyMap<string, string>;
  /** How a column is called in a scan. */
  rawOf(name: string): string;
  file: string;
}

/** What is read of a source. */
export interface Reading {
  match: ColumnMatch;
  /** Names of the columns to keep. */
  kept: readonly string[];
  /** CSV whose numbers DuckDB parses while it scans, the fastest way; false: cell by cell. */
  typed: boolean;
  /** Batches that are in use at once, the newest included: with as many more, the numbers of a batch are overwritten. */
  inUse: number;
}

/** A column of the query. */
export interface Selected {
  sql: string;
  kind: 'number' | 'text';
}

/** What reads the wanted columns of a source, those of the model before those that are kept. */
export interface Query {
  from: string;
  wanted: readonly Selected[];
}

export function queryOf(
  source: TableSource,
  { match, kept, typed }: Pick<Reading, 'match' | 'kept' | 'typed'>,
): Query {
  const { cells, files, names, types } = source;
  const format = files[0]?.format;
  const numbers = new Set(
    match.fields.flatMap(({ field, column }) => (column !== null && field.type !== 'text' ? [column] : [])),
  );
  const own = names.map((name) => source.rawOf(name));
  const csvTypes = Object.fromEntries(
    names.map((name) => [
      source.rawOf(name),
      typed && numbers.has(name) ? ('DOUBLE' as const) : ('VARCHAR' as const),
    ]),
  );
  const scan =
    format === 'parquet'
      ? scanOf(files, cells, [], null)
      : scanOf(files, cells, own, format === 'csv' ? csvTypes : asText(own));
  const fields = match.fields.flatMap(({ field, column }): Selected[] => {
    if (column === null) return [];
    const raw = identifier(source.rawOf(column));
    if (field.type === 'text') return [{ kind: 'text', sql: `CAST(${raw} AS VARCHAR)` }];
    const isText = types.get(column) === 'VARCHAR' && !typed;
    return [{ kind: 'number', sql: isText ? textNumberExpression(raw, cells.rules) : numberExpression(raw) }];
  });
  const beside = kept.map((name): Selected => {
    const raw = identifier(source.rawOf(name));
    const number = keptAsNumber(source, name, typed && numbers.has(name));
    return number
      ? { kind: 'number', sql: `coalesce(CAST(${raw} AS DOUBLE), 'NaN'::DOUBLE)` }
      : { kind: 'text', sql: `CAST(${raw} AS VARCHAR)` };
  });
  return { from: `(${scan})`, wanted: [...fields, ...beside] };
}

/** Types of Parquet that a double holds exactly. */
const EXACT = /^(U?(TINYINT|SMALLINT|INTEGER)|FLOAT|DOUBLE)$/;

function keptAsNumber({ types }: TableSource, name: string, parsed: boolean): boolean {
  return parsed || EXACT.test(types.get(name) ?? '');
}
