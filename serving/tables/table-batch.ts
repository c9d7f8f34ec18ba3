import { type DuckDBDataChunk } from '@duckdb/node-api';
import bindings from '@duckdb/node-bindings';
import { RetrainError } from '../../contracts/errors';
import { FLOAT32_MAX, shownCell } from '../../ml/dataset/cell';
import { TextBuilder } from '../../ml/dataset/column-builder';
import { identifier } from '../../ml/dataset/duckdb/session';
import { TextCodes } from '../../ml/dataset/duckdb/text-codes';
import { type Column } from '../../ml/dataset/raw-table';
import { type ModelField } from '../model/served-model';
import { type OutColumn } from './out-column';
import { queryOf, type Reading, type Selected, type TableSource } from './table-query';

/** Rows that are scored together. */
export const BATCH_ROWS = 1 << 16;

/** Some rows of a table: what the model takes, and what is kept beside its answers. */
export interface TableBatch {
  rows: number;
  /** A column for each field of the model, in their order. */
  columns: Column[];
  kept: OutColumn[];
}

/** Numbers, texts for the model, texts that are kept. */
type Builder = Float64Array | TextCodes | (string | null)[];

/** Where the numbers of a batch are put, by their columns; made when first needed. */
type NumberSpace = Float64Array[];

/** Space for the numbers of batches, used again in turns: new space for each would be more than the garbage collector sees to in time. */
export class BatchMemory {
  private readonly spaces: readonly NumberSpace[];
  private turn = 0;

  /** @param batches that may be in use at once */
  constructor(batches: number) {
    this.spaces = Array.from({ length: batches }, () => []);
  }

  next(): NumberSpace {
    return this.spaces[this.turn++ % this.spaces.length]!;
  }
}

/** A batch that grows chunk by chunk. */
export class Batch {
  rows = 0;
  private readonly builders: readonly Builder[];
  private readonly fieldColumns: number;

  constructor(
    private readonly source: TableSource,
    private readonly reading: Reading,
    wanted: readonly Selected[],
    private readonly before: number,
    numbers: NumberSpace,
  ) {
    this.fieldColumns = wanted.length - reading.kept.length;
    this.builders = wanted.map(({ kind }, i) => {
      if (kind === 'number') return (numbers[i] ??= new Float64Array(BATCH_ROWS));
      if (i >= this.fieldColumns) return [];
      return new TextCodes(new TextBuilder('', BATCH_ROWS), source.cells.rules);
    });
  }

  append(chunk: DuckDBDataChunk, count: number): void {
    for (const [i, builder] of this.builders.entries()) {
      if (builder instanceof Float64Array) builder.set(doublesOf(chunk, i, count), this.rows);
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
      const built = column === null ? missing(field, rows) : columnOf(field, builders[next++]!, rows);
      columns.push(built);
      const bad = firstBad(field, built);
      if (bad !== -1) throw await this.badCell(field, column ?? field.name, bad);
    }
    const kept = reading.kept.map((name, i): OutColumn => {
      const builder = builders[this.fieldColumns + i]!;
      if (builder instanceof Float64Array) return { name, type: 'double', values: builder.subarray(0, rows) };
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

function columnOf({ name }: ModelField, builder: Builder, rows: number): Column {
  if (builder instanceof Float64Array) return { kind: 'number', name, values: builder.subarray(0, rows) };
  if (builder instanceof TextCodes) return { ...builder.builder.finish(), name };
  throw new RangeError(`no column was read for ${name}`);
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
