import { isUtf8 } from 'node:buffer';
import { RetrainError } from '../../contracts/errors';

/** Longest line, in bytes: 10,000 columns of 400 characters. What is longer is not a table. */
export const MAX_LINE_BYTES = 4 * 1024 * 1024;

const LF = 0x0a;
const CR = 0x0d;

const MAGIC: readonly { bytes: readonly number[]; is: string; next: string }[] = [
  {
    bytes: [0xff, 0xfe],
    is: 'UTF-16 text',
    next: 'save it as UTF-8, or say so (data.csv: { encoding: utf-16 })',
  },
  {
    bytes: [0xfe, 0xff],
    is: 'UTF-16 text',
    next: 'save it as UTF-8, or say so (data.csv: { encoding: utf-16 })',
  },
  { bytes: [0x1f, 0x8b], is: 'gzip-compressed', next: 'name it with the ending .csv.gz' },
  { bytes: [0x50, 0x4b, 0x03, 0x04], is: 'a ZIP archive or a spreadsheet', next: 'export it as CSV' },
  { bytes: [0x50, 0x41, 0x52, 0x31], is: 'Parquet', next: 'name it with the ending .parquet' },
];

/** What the guard saw of the bytes so far; the record reader looks at it. */
export interface GuardState {
  /** True as soon as bytes went by that are not UTF-8 (they become U+FFFD in the cells). */
  invalidUtf8: boolean;
}

/**
 * Prepares raw bytes for the CSV parser, which counts a CRLF within quotes twice, guesses one line ending from
 * the first line, and bounds a record only by the size of its cells: takes off the byte order mark, turns CRLF
 * and CR into LF, notes invalid UTF-8, and refuses binary formats, NUL bytes and endless lines.
 *
 * @param source Chunks of bytes, of any size.
 * @param file Name of the file for messages.
 * @throws RetrainError DATA_INVALID with the line.
 */
export async function* guardCsvBytes(
  source: AsyncIterable<Buffer | string>,
  file: string,
  state: GuardState,
): AsyncGenerator<Buffer> {
  let line = 1;
  let lineBytes = 0;
  let afterCr = false;
  let head: Buffer | undefined = Buffer.alloc(0);
  let tail: Buffer = Buffer.alloc(0);

  const clean = (chunk: Buffer): Buffer => {
    const whole = tail.length > 0 ? Buffer.concat([tail, chunk]) : chunk;
    const cut = whole.length - incompleteUtf8(whole);
    tail = whole.subarray(cut);
    const text = whole.subarray(0, cut);
    if (!state.invalidUtf8 && !isUtf8(text)) state.invalidUtf8 = true;
    const out = Buffer.allocUnsafe(text.length);
    let length = 0;
    for (const byte of text) {
      if (byte === LF && afterCr) {
        afterCr = false;
        continue;
      }
      afterCr = byte === CR;
      if (byte === CR || byte === LF) {
        line++;
        lineBytes = 0;
        out[length++] = LF;
        continue;
      }
      if (byte === 0) {
        throw new RetrainError(
          'DATA_INVALID',
          `${file}:${line}: holds a NUL byte after ${lineBytes} bytes of the line, so it is binary; expected CSV text in UTF-8`,
        );
      }
      if (++lineBytes > MAX_LINE_BYTES) {
        throw new RetrainError(
          'DATA_INVALID',
          `${file}:${line}: the line is longer than ${MAX_LINE_BYTES / 1024 / 1024} MiB; expected CSV text, one row a line`,
        );
      }
      out[length++] = byte;
    }
    return out.subarray(0, length);
  };

  for await (const piece of source) {
    let chunk = typeof piece === 'string' ? Buffer.from(piece) : piece;
    if (head !== undefined) {
      head = Buffer.concat([head, chunk]);
      if (head.length < 4) continue;
      chunk = withoutBom(head, file);
      head = undefined;
    }
    yield clean(chunk);
  }
  if (head !== undefined && head.length > 0) yield clean(withoutBom(head, file));
  if (tail.length > 0) {
    state.invalidUtf8 = true;
    yield tail;
  }
}

function withoutBom(head: Buffer, file: string): Buffer {
  const known = MAGIC.find(({ bytes }) => bytes.every((byte, i) => head[i] === byte));
  if (known !== undefined) {
    throw new RetrainError('DATA_INVALID', `${file}:1: is ${known.is}, expected CSV text; ${known.next}`);
  }
  return head[0] === 0xef && head[1] === 0xbb && head[2] === 0xbf ? head.subarray(3) : head;
}

/** Bytes at the end of a chunk that start a UTF-8 sequence which the next chunk completes: 0 to 3. */
function incompleteUtf8(bytes: Buffer): number {
  for (let back = 1; back <= Math.min(3, bytes.length); back++) {
    const byte = bytes[bytes.length - back] ?? 0;
    if ((byte & 0xc0) === 0x80) continue;
    const needed = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : byte >= 0xc0 ? 2 : 1;
    return needed > back ? back : 0;
  }
  return 0;
}
