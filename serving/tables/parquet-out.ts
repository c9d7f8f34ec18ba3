import { MAGIC, OPTIONAL, PLAIN, REQUIRED, RLE, UNCOMPRESSED, UTF8 } from '../../ml/dataset/parquet/format';
import { encodeThrift, type ThriftStruct, type ThriftValue } from '../../ml/dataset/parquet/thrift';
import { definitionLevels, pageHeader, root } from '../../ml/dataset/parquet/write-parquet';
import { type OutColumn, type Sink, type TableOut } from './out-column';

/** Parquet's physical types. */
const PHYSICAL = { boolean: 0, int64: 2, double: 5, text: 6 } as const;

/**
 * Writes Parquet, a row group for each piece, plainly encoded and without compression; a missing number is NaN, as in the tables of our
 * own stages, a missing text null. Equal rows in equal pieces make equal bytes.
 *
 * Format: https://parquet.apache.org/docs/file-format/
 */
export class ParquetOut implements TableOut {
  private readonly groups: ThriftValue[] = [];
  private schema: ThriftStruct[] | undefined;
  /** Room for the pages of whole numbers and texts, used again: the sink is done with a page before the next is made. */
  private room = Buffer.alloc(0);
  private rows = 0;
  private offset = 0;

  constructor(private readonly sink: Sink) {}

  async write(rows: number, columns: readonly OutColumn[]): Promise<void> {
    await this.begin(columns);
    const start = this.offset;
    const chunks: ThriftValue[] = [];
    for (const column of columns) {
      const at = this.offset;
      const page = pageOf(column, (bytes) => this.roomFor(bytes));
      await this.put(pageHeader(page.byteLength, rows));
      await this.put(page);
      chunks.push({ struct: columnChunk(column, at, this.offset - at, rows) });
    }
    this.groups.push({
      struct: [
        [1, { list: chunks }],
        [2, { i64: this.offset - start }],
        [3, { i64: rows }],
      ],
    });
    this.rows += rows;
  }

  async finish(about: Readonly<Record<string, string>>): Promise<void> {
    await this.begin([]);
    const schema = this.schema ?? [];
    const footer = encodeThrift([
      [1, { i32: 1 }],
      [2, { list: [{ struct: root(schema.length) }, ...schema.map((struct) => ({ struct }))] }],
      [3, { i64: this.rows }],
      [4, { list: this.groups }],
      [
        5,
        {
          list: Object.entries(about).map(([key, value]) => ({
            struct: [
              [1, { text: key }],
              [2, { text: value }],
            ] as ThriftStruct,
          })),
        },
      ],
      [6, { text: 'retrain' }],
    ]);
    const tail = Buffer.alloc(8);
    tail.writeUInt32LE(footer.length);
    tail.write(MAGIC, 4);
    await this.put(footer);
    await this.put(tail);
  }

  private async begin(columns: readonly OutColumn[]): Promise<void> {
    if (this.schema !== undefined) return;
    this.schema = columns.map(schemaOf);
    await this.put(Buffer.from(MAGIC));
  }

  private roomFor(bytes: number): Buffer {
    if (this.room.byteLength < bytes) this.room = Buffer.allocUnsafeSlow(bytes);
    return this.room.subarray(0, bytes);
  }

  private async put(bytes: Uint8Array): Promise<void> {
    this.offset += bytes.byteLength;
    await this.sink(bytes);
  }
}

/** @param roomFor where a page may be made, of so many bytes */
function pageOf(column: OutColumn, roomFor: (bytes: number) => Buffer): Uint8Array {
  switch (column.type) {
    case 'double':
      return new Uint8Array(column.values.buffer, column.values.byteOffset, column.values.byteLength);
    case 'int64':
      return int64Page(column.values, roomFor);
    case 'boolean': {
      const bits = new Uint8Array(Math.ceil(column.values.length / 8));
      for (let i = 0; i < column.values.length; i++) bits[i >> 3]! |= column.values[i]! << (i & 7);
      return bits;
    }
    case 'text':
      return textPage(column.values, roomFor);
  }
}

/** Whole numbers within 2^53 as two halves each, the low one first: through BigInt they take ten times as long. */
function int64Page(values: Float64Array, roomFor: (bytes: number) => Buffer): Uint8Array {
  const page = roomFor(8 * values.length);
  const halves = new Int32Array(page.buffer, page.byteOffset, 2 * values.length);
  for (let i = 0; i < values.length; i++) {
    const value = values[i]!;
    halves[2 * i] = value;
    halves[2 * i + 1] = Math.floor(value / 2 ** 32);
  }
  return page;
}

function textPage(values: readonly (string | null)[], roomFor: (bytes: number) => Buffer): Uint8Array {
  const levels = definitionLevels(values);
  let size = 4 + levels.length;
  for (const text of values) if (text !== null) size += 4 + Buffer.byteLength(text);
  const page = roomFor(size);
  page.writeUInt32LE(levels.length);
  levels.copy(page, 4);
  let at = 4 + levels.length;
  for (const text of values) {
    if (text === null) continue;
    const length = page.write(text, at + 4);
    page.writeUInt32LE(length, at);
    at += 4 + length;
  }
  return page;
}

function columnChunk(column: OutColumn, at: number, size: number, values: number): ThriftStruct {
  return [
    [2, { i64: at }],
    [
      3,
      {
        struct: [
          [1, { i32: PHYSICAL[column.type] }],
          [2, { list: [{ i32: PLAIN }, { i32: RLE }] }],
          [3, { list: [{ text: column.name }] }],
          [4, { i32: UNCOMPRESSED }],
          [5, { i64: values }],
          [6, { i64: size }],
          [7, { i64: size }],
          [9, { i64: at }],
        ],
      },
    ],
  ];
}

function schemaOf({ name, type }: OutColumn): ThriftStruct {
  const text = type === 'text';
  return [
    [1, { i32: PHYSICAL[type] }],
    [3, { i32: text ? OPTIONAL : REQUIRED }],
    [4, { text: name }],
    ...(text ? [[6, { i32: UTF8 }] as const] : []),
  ];
}
