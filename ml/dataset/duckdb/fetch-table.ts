import { type DuckDBConnection, type DuckDBDataChunk } from '@duckdb/node-api';
import bindings from '@duckdb/node-bindings';
import { NumberBuilder, TextBuilder } from '../column-builder';
import { type PlannedColumn } from '../column-plan';
import { type Column } from '../raw-table';
import { identifier } from './session';
import { TextCodes } from './text-codes';

/** Stands for a value that is there and is no number; whoever reads it refuses it. */
const BAD = "'Infinity'::DOUBLE";

/**
 * Runs a query over a table that has the file's column names, and fetches the planned columns: numbers as float64 (a
 * value that is none as Infinity), the others as texts. The memory of each chunk is copied as a whole.
 *
 * @param from A table expression.
 * @param rowNumber Name of a column of 1-based row numbers, if there is one.
 */
export async function fetchTable(
  connection: DuckDBConnection,
  from: string,
  header: readonly string[],
  planned: readonly PlannedColumn[],
  rowNumber: string | undefined,
  onRows: (rows: number) => void,
): Promise<{ rows: number; columns: Column[]; rowNumbers?: Float64Array }> {
  const selected = planned.map(({ position, kind }) => expression(header[position] ?? '', kind));
  if (rowNumber !== undefined) selected.push(`${identifier(rowNumber)}::DOUBLE`);
  // Not streamed: fetchChunk ends a streamed result without an error where the query met one.
  const result = await connection.run(`SELECT ${selected.join(', ')} FROM ${from}`);
  const total = result.rowCount;
  const builders = planned.map(({ kind, name }) =>
    kind === 'number' ? new NumberBuilder(name, total) : new TextCodes(new TextBuilder(name, total)),
  );
  const numbers = rowNumber === undefined ? undefined : new NumberBuilder(rowNumber, total);
  let rows = 0;
  while (rows < total) {
    const chunk = await result.fetchChunk();
    // Each question is a call into native code.
    const count = chunk?.rowCount ?? 0;
    if (chunk === null || count === 0) break;
    for (const [f, builder] of builders.entries()) {
      if (builder instanceof NumberBuilder) builder.append(doublesOf(chunk, f, count));
      else builder.append(chunk, f, count);
    }
    numbers?.append(doublesOf(chunk, planned.length, count));
    rows += count;
    onRows(rows);
  }
  return {
    rows,
    columns: builders.map((one) => (one instanceof NumberBuilder ? one : one.builder).finish()),
    ...(numbers === undefined ? {} : { rowNumbers: numbers.finish().values }),
  };
}

function expression(name: string, kind: PlannedColumn['kind']): string {
  const column = identifier(name);
  if (kind === 'number') {
    return `coalesce(TRY_CAST(${column} AS DOUBLE), CASE WHEN ${column} IS NULL THEN 'NaN'::DOUBLE ELSE ${BAD} END)`;
  }
  return `CAST(${column} AS VARCHAR)`;
}

function doublesOf(chunk: DuckDBDataChunk, column: number, rows: number): Float64Array {
  const vector = bindings.data_chunk_get_vector(chunk.chunk, column);
  const bytes = bindings.vector_get_data(vector, rows * Float64Array.BYTES_PER_ELEMENT);
  return new Float64Array(bytes.buffer, bytes.byteOffset, rows);
}
