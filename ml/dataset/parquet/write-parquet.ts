import { closeSync, openSync, writeFileSync } from 'node:fs';
import { endianness } from 'node:os';
import {
  DATA_PAGE,
  MAGIC,
  OPTIONAL,
  PHYSICAL,
  PLAIN,
  REQUIRED,
  RLE,
  UNCOMPRESSED,
  UTF8,
  type ParquetColumn,
} from './format';
import { encodeThrift, type ThriftStruct, type ThriftValue } from './thrift';

/** Rows per row group: bounds the memory of a page, whose size is an i32. */
const GROUP_ROWS = 1 << 18;

/**
 * Writes columns as a Parquet file that any reader takes: plain encoding, no compression, numbers REQUIRED (NaN is a
 * missing value), texts OPTIONAL. The bytes depend on the values only, not on a clock, a machine or threads, and
 * writing is a copy of the typed arrays, which is why this is not left to DuckDB: on a table like iris, that costs ten
 * times the whole stage.
 */
export function writeParquet(path: string, columns: readonly ParquetColumn[]): void {
  if (endianness() !== 'LE') throw new Error('Parquet is little-endian, and this machine is not');
  const rows = columns[0]?.values.length ?? 0;
  const file = openSync(path, 'w');
  let offset = 0;
  const write = (bytes: Uint8Array): void => {
    writeFileSync(file, bytes);
    offset += bytes.byteLength;
  };
  try {
    write(Buffer.from(MAGIC));
    const groups: ThriftValue[] = [];
    for (let start = 0; start < rows; start += GROUP_ROWS) {
      const end = Math.min(rows, start + GROUP_ROWS);
      const groupStart = offset;
      const chunks = columns.map((column): ThriftValue => {
        const at = offset;
        const page = pageOf(column, start, end);
        write(pageHeader(page.byteLength, end - start));
        write(page);
        return { struct: columnChunk(column, at, offset - at, end - start) };
      });
      groups.push({
        struct: [
          [1, { list: chunks }],
          [2, { i64: offset - groupStart }],
          [3, { i64: end - start }],
        ],
      });
    }
    const footer = encodeThrift([
      [1, { i32: 1 }],
      [
        2,
        {
          list: [
            { struct: root(columns.length) },
            ...columns.map((column) => ({ struct: schemaOf(column) })),
          ],
        },
      ],
      [3, { i64: rows }],
      [4, { list: groups }],
      [6, { text: 'retrain' }],
    ]);
    write(footer);
    const tail = Buffer.alloc(8);
    tail.writeUInt32LE(footer.length);
    tail.write(MAGIC, 4);
    write(tail);
  } finally {
    closeSync(file);
  }
}

function pageOf(column: ParquetColumn, start: number, end: number): Uint8Array {
  if (column.type !== 'text') {
    const part = column.values.subarray(start, end);
    return new Uint8Array(part.buffer, part.byteOffset, part.byteLength);
  }
  const values = column.values.slice(start, end);
  const levels = definitionLevels(values);
  const texts = values.filter((value) => value !== null);
  const page = Buffer.allocUnsafe(
    4 + levels.length + texts.reduce((sum, text) => sum + 4 + Buffer.byteLength(text), 0),
  );
  page.writeUInt32LE(levels.length);
  levels.copy(page, 4);
  let at = 4 + levels.length;
  for (const text of texts) {
    const length = page.write(text, at + 4);
    page.writeUInt32LE(length, at);
    at += 4 + length;
  }
  return page;
}

/** Runs of present (1) and missing (0) values: a varint of the length, shifted by one, and the level. */
export function definitionLevels(values: readonly (string | null)[]): Buffer {
  const bytes: number[] = [];
  for (let start = 0, end = 0; start < values.length; start = end) {
    const missing = values[start] === null;
    while (end < values.length && (values[end] === null) === missing) end++;
    let header = (end - start) * 2;
    for (; header >= 0x80; header >>>= 7) bytes.push((header & 0x7f) | 0x80);
    bytes.push(header, missing ? 0 : 1);
  }
  return Buffer.from(bytes);
}

export function pageHeader(size: number, values: number): Buffer {
  return encodeThrift([
    [1, { i32: DATA_PAGE }],
    [2, { i32: size }],
    [3, { i32: size }],
    [
      5,
      {
        struct: [
          [1, { i32: values }],
          [2, { i32: PLAIN }],
          [3, { i32: RLE }],
          [4, { i32: RLE }],
        ],
      },
    ],
  ]);
}

function columnChunk(column: ParquetColumn, at: number, size: number, values: number): ThriftStruct {
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

export const root = (columns: number): ThriftStruct => [
  [4, { text: 'schema' }],
  [5, { i32: columns }],
];

function schemaOf({ name, type }: ParquetColumn): ThriftStruct {
  const text = type === 'text';
  return [
    [1, { i32: PHYSICAL[type] }],
    [3, { i32: text ? OPTIONAL : REQUIRED }],
    [4, { text: name }],
    ...(text ? [[6, { i32: UTF8 }] as const] : []),
  ];
}
