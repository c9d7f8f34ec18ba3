import { type DuckDBConnection, type DuckDBDataChunk } from '@duckdb/node-api';
import bindings from '@duckdb/node-bindings';
import { RetrainError } from '../../contracts/errors';
import { FLOAT32_MAX, shownCell } from '../../ml/dataset/cell';
import { NumberBuilder, TextBuilder } from '../../ml/dataset/column-builder';
import { cellRules, csvFormat, type ReadingRules } from '../../ml/dataset/csv-format';
import { type DataFile } from '../../ml/dataset/data-files';
import { dataError } from '../../ml/dataset/duckdb/query-errors';
import {
  asText,
  type CellScan,
  numberExpression,
  scanOf,
  textNumberExpression,
} from '../../ml/dataset/duckdb/scan';
import { identifier } from '../../ml/dataset/duckdb/session';
import { TextCodes } from '../../ml/dataset/duckdb/text-codes';
import { holdsUnderscore } from '../../ml/dataset/duckdb/underscore';
import { rawName, typesOf } from '../../ml/dataset/duckdb/user-view';
import { columnNames } from '../../ml/dataset/header';
import { type Column } from '../../ml/dataset/raw-table';
import { requireSameHeader } from '../../ml/dataset/read-csv-table';
import { type ModelField } from '../model/served-model';
import { type ColumnMatch } from './match-columns';
import { type OutColumn } from './out-column';

/** Rows that are scored together. */
const BATCH_ROWS = 1 << 16;

/** Some rows of a table: what the model takes, and what is kept beside its answers. */
export interface TableBatch {
  rows: number;
  /** A column for each field of the model, in their order. */
  columns: Column[];
  kept: OutColumn[];
}

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

/** Looks at the files' columns. @throws RetrainError DATA_INVALID */
export async function openSource(
  connection: DuckDBConnection,
  files: readonly DataFile[],
  file: string,
  rules: ReadingRules,
): Promise<TableSource> {
  const cells = { csv: csvFormat(rules), rules: cellRules(rules) };
  const format = files[0]?.format;
  const common = { connection, files, cells, file };
  if (format === 'json' || format === 'json-lines') {
    const found = await typesOf(connection, scanOf(files, cells, [], null)).catch((error: unknown) => {
      throw dataError(files, file, error, undefined);
    });
    const names = [...found.keys()];
    return { ...common, names, types: textTypes(names), rawOf: (name) => name };
  }
  let names: string[] = [];
  for (const [i, data] of files.entries()) {
    const one = (await columnNames(data, undefined, rules)).names;
    if (i === 0) names = one;
    else requireSameHeader(one, names, data.file, files[0]?.file ?? file);
  }
  if (format === 'parquet') {
    return {
      ...common,
      names,
      types: await typesOf(connection, scanOf(files, cells, [], null)),
      rawOf: (name) => name,
    };
  }
  return { ...common, names, types: textTypes(names), rawOf: (name) => rawName(names.indexOf(name)) };
}

const textTypes = (names: readonly string[]): Map<string, string> =>
  new Map(names.map((name) => [name, 'VARCHAR']));

/** What is read of a source. */
export interface Reading {
  match: ColumnMatch;
  /** Names of the columns to keep. */
  kept: readonly string[];
  /** CSV whose numbers DuckDB parses while it scans, the fastest way; false: cell by cell. */
  typed: boolean;
}

/** Whether a first try by DuckDB's own numbers is worth it: what it takes for one must be what we take. */
export async function mayBeTyped({ files, cells }: TableSource): Promise<boolean> {
  if (files[0]?.format !== 'csv' || !cells.rules.missing.has('nan')) return false;
  return !(await holdsUnderscore(files));
}

/** Thrown when a cell is none that DuckDB parses as it scans; cell by cell it may be. */
export class NotTyped extends Error {}

/**
 * Reads batch by batch.
 *
 * @throws NotTyped; RetrainError DATA_INVALID naming row and column
 */
export async function* readBatches(source: TableSource, reading: Reading): AsyncGenerator<TableBatch> {
  const { connection } = source;
  const { from, wanted } = queryOf(source, reading);
  const select = wanted.map(({ sql }) => sql).join(', ');
  const result = await connection.stream(`SELECT ${select} FROM ${from}`).catch((error: unknown) => {
    if (reading.typed) throw new NotTyped();
    throw dataError(source.files, source.file, error, undefined);
  });
  let rows = 0;
  let batch = new Batch(source, reading, wanted, rows);
  for (;;) {
    const chunk = await result.fetchChunk();
    const count = chunk?.rowCount ?? 0;
    if (chunk === null || count === 0) break;
    batch.append(chunk, count);
    if (batch.rows + 2048 <= BATCH_ROWS) continue;
    yield await batch.finish();
    rows += batch.rows;
    batch = new Batch(source, reading, wanted, rows);
  }
  if (batch.rows > 0) yield await batch.finish();
  await requireWhole(source, reading, rows + batch.rows);
}

/** A streamed result ends without a word where its query met an error: there must be as many rows as the files have. */
async function requireWhole(source: TableSource, reading: Reading, rows: number): Promise<void> {
  const { from, wanted } = queryOf(source, reading);
  try {
    const counted = await source.connection.runAndReadAll(`SELECT count(*)::DOUBLE FROM ${from}`);
    if (Number(counted.getRows()[0]?.[0]) === rows) return;
    if (reading.typed) throw new NotTyped();
    // The same once more, all at once and for its error only.
    await source.connection.run(
      `SELECT ${wanted.map(({ sql }, i) => `count(${sql}) AS c${i}`).join(', ')} FROM ${from}`,
    );
  } catch (error) {
    if (error instanceof NotTyped) throw error;
    if (reading.typed) throw new NotTyped();
    throw dataError(source.files, source.file, error, undefined);
  }
  throw new RetrainError(
    'DATA_INVALID',
    `${source.file}: could be read up to row ${rows} only; look at the row after it`,
  );
}

/** A column of the query. */
interface Selected {
  sql: string;
  kind: 'number' | 'text';
}

function queryOf(source: TableSource, { match, kept, typed }: Reading): { from: string; wanted: Selected[] } {
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

class Batch {
  rows = 0;
  private readonly builders: (NumberBuilder | TextCodes | (string | null)[])[];
  private readonly fieldColumns: number;

  constructor(
    private readonly source: TableSource,
    private readonly reading: Reading,
    wanted: readonly Selected[],
    private readonly before: number,
  ) {
    this.fieldColumns = wanted.length - reading.kept.length;
    this.builders = wanted.map(({ kind }, i) => {
      if (kind === 'number') return new NumberBuilder('', BATCH_ROWS);
      if (i >= this.fieldColumns) return [];
      return new TextCodes(new TextBuilder('', BATCH_ROWS), source.cells.rules);
    });
  }

  append(chunk: DuckDBDataChunk, count: number): void {
    for (const [i, builder] of this.builders.entries()) {
      if (builder instanceof NumberBuilder) builder.append(doublesOf(chunk, i, count));
      else if (builder instanceof TextCodes) builder.append(chunk, i, count);
      else {
        const vector = chunk.getColumnVector(i);
        for (let row = 0; row < count; row++) builder.push(vector.getItem(row) as string | null);
      }
    }
    this.rows += count;
  }

  /** @throws RetrainError DATA_INVALID for a cell that the model does not take */
  async finish(): Promise<TableBatch> {
    const { reading, builders, rows } = this;
    let next = 0;
    const columns: Column[] = [];
    for (const { field, column } of reading.match.fields) {
      const built = column === null ? missing(field, rows) : columnOf(field, builders[next++]!);
      columns.push(built);
      const bad = firstBad(field, built);
      if (bad !== -1) throw await this.badCell(field, column ?? field.name, bad);
    }
    const kept = reading.kept.map((name, i): OutColumn => {
      const builder = builders[this.fieldColumns + i]!;
      if (builder instanceof NumberBuilder) return { name, type: 'double', values: builder.finish().values };
      return { name, type: 'text', values: builder as (string | null)[] };
    });
    return { rows, columns, kept };
  }

  private async badCell(field: ModelField, column: string, at: number): Promise<RetrainError> {
    const { connection, file } = this.source;
    const row = this.before + at;
    const { from } = queryOf(this.source, { ...this.reading, typed: false });
    const raw = identifier(this.source.rawOf(column));
    const found = await connection
      .runAndReadAll(`SELECT CAST(${raw} AS VARCHAR) FROM ${from} LIMIT 1 OFFSET ${row}`)
      .catch(() => null);
    const cell = found?.getRows()[0]?.[0];
    const seen = typeof cell === 'string' ? shownCell(cell) : 'nothing';
    return new RetrainError(
      'DATA_INVALID',
      `${file}: row ${row + 1}, column "${column}": ${seen}, expected ${EXPECTED[field.type]}; correct it, or leave the row out`,
    );
  }
}

const EXPECTED: Record<ModelField['type'], string> = {
  number: 'a finite number within float32 (±3.4e38)',
  integer: 'a whole number',
  text: 'a text',
  boolean: 'true or false, or 1 or 0',
};

function columnOf(field: ModelField, builder: NumberBuilder | TextCodes | (string | null)[]): Column {
  if (builder instanceof NumberBuilder) return { ...builder.finish(), name: field.name };
  if (builder instanceof TextCodes) return { ...builder.builder.finish(), name: field.name };
  throw new RangeError(`no column was read for ${field.name}`);
}

/** The column of a field that may be left out, and is. */
const missing = ({ name, type }: ModelField, rows: number): Column =>
  type === 'text'
    ? { kind: 'text', name, codes: new Int32Array(rows).fill(-1), levels: [] }
    : { kind: 'number', name, values: new Float64Array(rows).fill(Number.NaN) };

/** The first row with a cell that the field does not take; -1: there is none. */
function firstBad({ type, nullable }: ModelField, column: Column): number {
  if (column.kind === 'text') return nullable ? -1 : column.codes.indexOf(-1);
  const { values } = column;
  const plain = type === 'number';
  for (let row = 0; row < values.length; row++) {
    const value = values[row]!;
    if (value !== value) {
      if (!nullable) return row;
    } else if (value > FLOAT32_MAX || value < -FLOAT32_MAX) return row;
    else if (!plain && !(type === 'integer' ? Number.isSafeInteger(value) : value === 0 || value === 1))
      return row;
  }
  return -1;
}

function doublesOf(chunk: DuckDBDataChunk, column: number, rows: number): Float64Array {
  const vector = bindings.data_chunk_get_vector(chunk.chunk, column);
  const bytes = bindings.vector_get_data(vector, rows * Float64Array.BYTES_PER_ELEMENT);
  return new Float64Array(bytes.buffer, bytes.byteOffset, rows);
}
