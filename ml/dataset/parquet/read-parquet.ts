import { readFileSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { RetrainError } from '../../../contracts/errors';
import { MAGIC, PHYSICAL, PLAIN, UNCOMPRESSED, type ParquetColumn } from './format';
import { ThriftReader, type Decoded } from './thrift';

/**
 * Reads a file that `writeParquet` wrote; numbers are copied, not parsed. Parquet from elsewhere, with its encodings
 * and codecs, is DuckDB's to read.
 *
 * @throws RetrainError STAGE_FAILED for a file that is damaged or from elsewhere.
 */
export function readParquet(path: string): ParquetColumn[] {
  const bytes = readFileSync(path);
  const end = bytes.length - 8;
  if (end < 4 || bytes.toString('latin1', 0, 4) !== MAGIC || bytes.toString('latin1', end + 4) !== MAGIC) {
    throw foreign(path, 'it does not begin and end with PAR1');
  }
  try {
    return columnsOf(bytes, new ThriftReader(bytes, end - bytes.readUInt32LE(end)).struct());
  } catch (cause) {
    if (cause instanceof RangeError) throw foreign(path, cause.message);
    throw cause;
  }
}

/** A footer is a few hundred bytes a column and row group. */
const MAX_FOOTER_BYTES = 64 << 20;

/**
 * Names of the columns of any Parquet file, from its footer alone, and which of them pandas wrote as a row index.
 *
 * @throws RetrainError DATA_INVALID for a file that is damaged, or has nested columns.
 */
export async function readParquetColumns(
  path: string,
  file: string,
): Promise<{ names: string[]; index: string[] }> {
  const handle = await open(path);
  try {
    const { size } = await handle.stat();
    const { buffer: tail } = await handle.read(Buffer.alloc(8), 0, 8, Math.max(0, size - 8));
    const length = tail.readUInt32LE(0);
    if (tail.toString('latin1', 4) !== MAGIC || length + 12 > size)
      throw new RangeError('its footer is cut off');
    if (length > MAX_FOOTER_BYTES) throw new RangeError(`its footer has ${length} bytes`);
    const { buffer } = await handle.read(Buffer.alloc(length), 0, length, size - 8 - length);
    const footer = new ThriftReader(buffer).struct();
    const [, ...elements] = list(footer.get(2)).map(struct);
    const nested = elements.find((element) => element.get(5) !== undefined);
    if (nested !== undefined)
      throw new RangeError(`column "${text(nested.get(4))}" is nested, expected plain columns`);
    const names = elements.map((element) => text(element.get(4)));
    return { names, index: pandasIndex(footer).filter((name) => names.includes(name)) };
  } catch (cause) {
    if (!(cause instanceof RangeError)) throw cause;
    throw new RetrainError('DATA_INVALID', `${file}: cannot be read as Parquet: ${cause.message}`, { cause });
  } finally {
    await handle.close();
  }
}

/** Names under `index_columns` of pandas' metadata; what is no such metadata names none. */
function pandasIndex(footer: Map<number, Decoded>): string[] {
  const entries = footer.has(5) ? list(footer.get(5)).map(struct) : [];
  const value = entries.find((entry) => entry.get(1) === 'pandas')?.get(2);
  try {
    const metadata = JSON.parse(typeof value === 'string' ? value : 'null') as {
      index_columns?: unknown;
    } | null;
    const columns = metadata?.index_columns;
    return Array.isArray(columns) ? columns.filter((name) => typeof name === 'string') : [];
  } catch {
    return [];
  }
}

function foreign(path: string, why: string): RetrainError {
  return new RetrainError('STAGE_FAILED', `${path} is not a table that preprocess wrote: ${why}`);
}

function columnsOf(bytes: Buffer, footer: Map<number, Decoded>): ParquetColumn[] {
  const [, ...elements] = list(footer.get(2)).map(struct);
  const rows = integer(footer.get(3));
  const columns = elements.map((element): ParquetColumn => {
    const name = text(element.get(4));
    switch (element.get(1)) {
      case PHYSICAL.float:
        return { name, type: 'float', values: new Float32Array(rows) };
      case PHYSICAL.double:
        return { name, type: 'double', values: new Float64Array(rows) };
      case PHYSICAL.text:
        return { name, type: 'text', values: new Array<string | null>(rows).fill(null) };
      default:
        throw new RangeError(`column ${name} has a type that preprocess does not write`);
    }
  });
  let row = 0;
  for (const group of list(footer.get(4)).map(struct)) {
    const chunks = list(group.get(1)).map(struct);
    for (const [f, column] of columns.entries()) {
      readChunk(bytes, struct(chunks[f]?.get(3)), column, row);
    }
    row += integer(group.get(3));
  }
  return columns;
}

function readChunk(bytes: Buffer, meta: Map<number, Decoded>, column: ParquetColumn, row: number): void {
  const reader = new ThriftReader(bytes, integer(meta.get(9)));
  const page = struct(reader.struct().get(5));
  const rows = integer(page.get(1));
  if (meta.get(4) !== UNCOMPRESSED || page.get(2) !== PLAIN || rows !== integer(meta.get(5))) {
    throw new RangeError(`column ${column.name} is compressed, encoded or split into pages`);
  }
  const at = reader.position;
  if (column.type === 'text') {
    readTexts(bytes, at, column.values, row, rows);
    return;
  }
  const target = new Uint8Array(column.values.buffer);
  const width = column.values.BYTES_PER_ELEMENT;
  if (at + rows * width > bytes.length) throw new RangeError(`column ${column.name} ends too early`);
  target.set(bytes.subarray(at, at + rows * width), row * width);
}

function readTexts(bytes: Buffer, start: number, into: (string | null)[], row: number, rows: number): void {
  const levelBytes = bytes.readUInt32LE(start);
  const levels = new ThriftReader(bytes, start + 4);
  let at = start + 4 + levelBytes;
  let last = { at: 0, length: -1, text: '' };
  for (let done = 0; done < rows;) {
    const run = levels.varint() >>> 1;
    const present = bytes[levels.position++] === 1;
    for (let i = 0; i < run; i++, done++) {
      if (!present) continue;
      const length = bytes.readUInt32LE(at);
      // Labels come in few values, often the same again: no new string for each row.
      if (last.length !== length || !areEqual(bytes, last.at, at + 4, length)) {
        last = { at: at + 4, length, text: bytes.toString('utf8', at + 4, at + 4 + length) };
      }
      into[row + done] = last.text;
      at += 4 + length;
    }
  }
}

function areEqual(bytes: Buffer, one: number, other: number, length: number): boolean {
  for (let i = 0; i < length; i++) if (bytes[one + i] !== bytes[other + i]) return false;
  return true;
}

const struct = (value: Decoded | undefined): Map<number, Decoded> => {
  if (value instanceof Map) return value;
  throw new RangeError('a struct is missing in its footer');
};

const list = (value: Decoded | undefined): Decoded[] => {
  if (Array.isArray(value)) return value;
  throw new RangeError('a list is missing in its footer');
};

const text = (value: Decoded | undefined): string => {
  if (typeof value === 'string') return value;
  throw new RangeError('a text is missing in its footer');
};

const integer = (value: Decoded | undefined): number => {
  if (typeof value === 'number') return value;
  throw new RangeError('a number is missing in its footer');
};
