import { type DuckDBConnection, type DuckDBDataChunk } from '@duckdb/node-api';
import bindings from '@duckdb/node-bindings';
import { RetrainError } from '../../contracts/errors';
import { cellRules, csvFormat, type ReadingRules } from '../../ml/dataset/csv-format';
import { type DataFile } from '../../ml/dataset/data-files';
import { dataError } from '../../ml/dataset/duckdb/query-errors';
import { scanOf } from '../../ml/dataset/duckdb/scan';
import { holdsUnderscore } from '../../ml/dataset/duckdb/underscore';
import { rawName, typesOf } from '../../ml/dataset/duckdb/user-view';
import { columnNames } from '../../ml/dataset/header';
import { requireSameHeader } from '../../ml/dataset/read-csv-table';
import { collectGarbage } from './collect-garbage';
import { Batch, BATCH_ROWS, BatchMemory, type TableBatch } from './table-batch';
import { type Query, queryOf, type Reading, type TableSource } from './table-query';

/** Most rows of a chunk of DuckDB. */
const CHUNK_ROWS = 2048;

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
  const query = queryOf(source, reading);
  const result = await connection.stream(markedEnd(query)).catch((error: unknown) => {
    if (reading.typed) throw new NotTyped();
    throw dataError(source.files, source.file, error, undefined);
  });
  const memory = new BatchMemory(reading.inUse);
  let rows = 0;
  let whole = false;
  let batch = new Batch(source, reading, query.wanted, rows, memory.next());
  for (;;) {
    const chunk = await result.fetchChunk();
    const count = chunk?.rowCount ?? 0;
    if (chunk === null || count === 0) break;
    whole = isEnd(chunk, query.wanted.length, count);
    batch.append(chunk, whole ? count - 1 : count);
    if (batch.rows + CHUNK_ROWS <= BATCH_ROWS) continue;
    yield await batch.finish();
    rows += batch.rows;
    collectGarbage();
    batch = new Batch(source, reading, query.wanted, rows, memory.next());
  }
  if (!whole) throw await endedEarly(source, reading, query, rows + batch.rows);
  if (batch.rows > 0) yield await batch.finish();
}

/** A streamed result ends without a word where its query met an error: the row behind the last one shows that it did not. */
const markedEnd = ({ from, wanted }: Query): string =>
  `SELECT ${[...wanted.map(({ sql }) => sql), 'false'].join(', ')} FROM ${from} UNION ALL SELECT ${[...wanted.map(() => 'NULL'), 'true'].join(', ')}`;

/** Whether the last row of a chunk is the mark. */
function isEnd(chunk: DuckDBDataChunk, column: number, rows: number): boolean {
  return bindings.vector_get_data(bindings.data_chunk_get_vector(chunk.chunk, column), rows)[rows - 1] === 1;
}

async function endedEarly(
  source: TableSource,
  reading: Reading,
  { from, wanted }: Query,
  rows: number,
): Promise<Error> {
  if (reading.typed) return new NotTyped();
  try {
    // The same once more, all at once and for its error only.
    await source.connection.run(
      `SELECT ${wanted.map(({ sql }, i) => `count(${sql}) AS c${i}`).join(', ')} FROM ${from}`,
    );
  } catch (error) {
    return dataError(source.files, source.file, error, undefined);
  }
  return new RetrainError(
    'DATA_INVALID',
    `${source.file}: could be read up to row ${rows} only; look at the row after it`,
  );
}
