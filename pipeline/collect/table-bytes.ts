import { setImmediate as breathe } from 'node:timers/promises';
import { type CellType } from '../../contracts/collect-columns';
import { type CollectSource } from '../../contracts/collect-source';
import { type Cell } from './fit-cell';
import { columnsOf } from './fit-rows';

/** How a column is stored: https://github.com/apache/parquet-format/blob/master/LogicalTypes.md */
const PARQUET = {
  text: { type: 'BYTE_ARRAY', converted_type: 'UTF8' },
  date: { type: 'INT32', converted_type: 'DATE' },
  time: { type: 'INT64', converted_type: 'TIMESTAMP_MILLIS' },
  number: { type: 'DOUBLE' },
  integer: { type: 'INT64' },
  boolean: { type: 'BOOLEAN' },
} as const satisfies Record<CellType, object>;

/** Rows that are written in one turn of the event loop, half a second of a busy machine: a worker's heartbeats go on meanwhile. */
const GROUP_ROWS = 20_000;

/**
 * A table as the bytes of a file, the same for the same rows. JSON is a list with a row on each line, its days and
 * times as texts.
 *
 * @param rows each as long as the columns
 */
export async function tableBytes(source: CollectSource, rows: readonly Cell[][]): Promise<Uint8Array> {
  const columns = columnsOf(source);
  if (source.format === 'json') {
    const names = columns.map(([name]) => JSON.stringify(name));
    const lines = rows.map(
      (row) => `{${names.map((name, at) => `${name}:${JSON.stringify(row[at] ?? null)}`).join(',')}}`,
    );
    return Buffer.from(`[\n${lines.join(',\n')}\n]\n`);
  }
  const { ByteWriter, ParquetWriter } = await import('hyparquet-writer');
  const writer = new ByteWriter();
  const file = new ParquetWriter({
    writer,
    createdBy: 'retrain',
    schema: [
      { name: 'root', num_children: columns.length },
      ...columns.map(([name, { type }]) => ({
        name,
        repetition_type: 'OPTIONAL' as const,
        ...PARQUET[type],
      })),
    ],
  });
  for (let from = 0; from < rows.length; from += GROUP_ROWS) {
    const group = rows.slice(from, from + GROUP_ROWS);
    const columnData = columns.map(([name, { type }], at) => ({
      name,
      offsetIndex: false,
      data: group.map((row) => stored(row[at] ?? null, type)),
    }));
    await file.write({ columnData, rowGroupSize: GROUP_ROWS });
    await breathe();
  }
  await file.finish();
  return new Uint8Array(writer.getBuffer());
}

/** A cell as the writer takes it. */
function stored(cell: Cell, type: CellType): Cell | bigint | Date {
  if (cell === null) return null;
  if (type === 'date' || type === 'time') return new Date(String(cell));
  return type === 'integer' ? BigInt(Number(cell)) : cell;
}
