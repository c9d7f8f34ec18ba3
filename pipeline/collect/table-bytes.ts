import { type CellType, type CollectSource } from '../../contracts/collect-params';
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
  const { parquetWriteBuffer } = await import('hyparquet-writer');
  const bytes = parquetWriteBuffer({
    schema: [
      { name: 'root', num_children: columns.length },
      ...columns.map(([name, { type }]) => ({
        name,
        repetition_type: 'OPTIONAL' as const,
        ...PARQUET[type],
      })),
    ],
    columnData: columns.map(([name, { type }], at) => ({
      name,
      offsetIndex: false,
      data: rows.map((row) => stored(row[at] ?? null, type)),
    })),
    rowGroupSize: 1 << 20,
    createdBy: 'retrain',
  });
  return new Uint8Array(bytes);
}

/** A cell as the writer takes it. */
function stored(cell: Cell, type: CellType): Cell | bigint | Date {
  if (cell === null) return null;
  if (type === 'date' || type === 'time') return new Date(String(cell));
  return type === 'integer' ? BigInt(Number(cell)) : cell;
}
