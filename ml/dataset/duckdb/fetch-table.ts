import { type DuckDBConnection, type DuckDBDataChunk } from '@duckdb/node-api';
import bindings from '@duckdb/node-bindings';
import { isMissing } from '../cell';
import { NumberBuilder, TextBuilder } from '../column-builder';
import { type PlannedColumn } from '../column-plan';
import { type Column } from '../raw-table';
import { identifier } from './session';

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
  const builders = planned.map(({ kind, name }) =>
    kind === 'number' ? new NumberBuilder(name) : new TextBuilder(name),
  );
  const numbers = rowNumber === undefined ? undefined : new NumberBuilder(rowNumber);
  // Not streamed: fetchChunk ends a streamed result without an error where the query met one.
  const result = await connection.run(`SELECT ${selected.join(', ')} FROM ${from}`);
  let rows = 0;
  for (;;) {
    const chunk = await result.fetchChunk();
    if (chunk === null || chunk.rowCount === 0) break;
    for (const [f, builder] of builders.entries()) {
      if (builder instanceof NumberBuilder) builder.append(doublesOf(chunk, f));
      else appendTexts(chunk, f, builder);
    }
    numbers?.append(doublesOf(chunk, planned.length));
    rows += chunk.rowCount;
    onRows(rows);
  }
  return {
    rows,
    columns: builders.map((builder) => builder.finish()),
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

function doublesOf(chunk: DuckDBDataChunk, column: number): Float64Array {
  const vector = bindings.data_chunk_get_vector(chunk.chunk, column);
  const bytes = bindings.vector_get_data(vector, chunk.rowCount * Float64Array.BYTES_PER_ELEMENT);
  return new Float64Array(bytes.buffer, bytes.byteOffset, chunk.rowCount);
}

/**
 * Blanks around a text do not count, nor do the words for a missing value. That is looked at here and not in SQL, where a
 * list of words becomes a join, and the rows come out mixed.
 */
function appendTexts(chunk: DuckDBDataChunk, column: number, builder: TextBuilder): void {
  const vector = chunk.getColumnVector(column);
  const meaning = new Map<string, string | undefined>();
  for (let row = 0; row < chunk.rowCount; row++) {
    const text = vector.getItem(row);
    if (typeof text !== 'string') {
      builder.push(undefined);
      continue;
    }
    if (!meaning.has(text)) meaning.set(text, isMissing(text) ? undefined : text.trim());
    builder.push(meaning.get(text));
  }
}
