import { type DuckDBConnection, type DuckDBDataChunk } from '@duckdb/node-api';
import bindings from '@duckdb/node-bindings';
import { type CellRules } from '../cell';
import { NumberBuilder, TextBuilder } from '../column-builder';
import { type PlannedColumn } from '../column-plan';
import { type Column } from '../raw-table';
import { numberExpression, textNumberExpression } from './scan';
import { identifier } from './session';
import { TextCodes } from './text-codes';

/** What is fetched, and from where. */
export interface Fetch {
  /** A table expression. */
  from: string;
  planned: readonly PlannedColumn[];
  /** Name of the column of `from` that holds a planned one. */
  nameOf(planned: PlannedColumn): string;
  /** Whether that column is text, so that numbers are read by our rules. */
  isText(planned: PlannedColumn): boolean;
  /** Name of a column of 1-based row numbers, if there is one. */
  rowNumber?: string | undefined;
  rules: CellRules;
  /** Called once the number of rows is known, and before memory is taken for them. */
  onCount(rows: number): void;
  onRows(rows: number): void;
}

/**
 * Runs a query and fetches the planned columns: numbers as float64 (a value that is none as Infinity), the others as
 * texts. The memory of each chunk is copied as a whole.
 */
export async function fetchTable(
  connection: DuckDBConnection,
  fetch: Fetch,
): Promise<{ rows: number; columns: Column[]; rowNumbers?: Float64Array }> {
  const { planned, rowNumber, rules } = fetch;
  const selected = planned.map((column) => {
    const name = identifier(fetch.nameOf(column));
    if (column.kind === 'text') return `CAST(${name} AS VARCHAR)`;
    return fetch.isText(column) ? textNumberExpression(name, rules) : numberExpression(name);
  });
  if (rowNumber !== undefined) selected.push(`${identifier(rowNumber)}::DOUBLE`);
  // Not streamed: fetchChunk ends a streamed result without an error where the query met one.
  const result = await connection.run(`SELECT ${selected.join(', ')} FROM ${fetch.from}`);
  const total = result.rowCount;
  fetch.onCount(total);
  const builders = planned.map(({ kind, name }) =>
    kind === 'number' ? new NumberBuilder(name, total) : new TextCodes(new TextBuilder(name, total), rules),
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
    fetch.onRows(rows);
  }
  return {
    rows,
    columns: builders.map((one) => (one instanceof NumberBuilder ? one : one.builder).finish()),
    ...(numbers === undefined ? {} : { rowNumbers: numbers.finish().values }),
  };
}

function doublesOf(chunk: DuckDBDataChunk, column: number, rows: number): Float64Array {
  const vector = bindings.data_chunk_get_vector(chunk.chunk, column);
  const bytes = bindings.vector_get_data(vector, rows * Float64Array.BYTES_PER_ELEMENT);
  return new Float64Array(bytes.buffer, bytes.byteOffset, rows);
}
