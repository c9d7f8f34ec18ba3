import { type Readable } from 'node:stream';
import { createBrotliDecompress, createGunzip, createInflate } from 'node:zlib';
import { RetrainError } from '../../contracts/errors';

/** What an answer may be packed with; we ask for gzip. */
const UNPACK: Readonly<Record<string, () => NodeJS.ReadWriteStream & Readable>> = {
  gzip: createGunzip,
  'x-gzip': createGunzip,
  deflate: createInflate,
  br: createBrotliDecompress,
};

/**
 * The bytes of an answer, unpacked, up to a bound: what unpacks to more is dropped as soon as it does.
 *
 * @param encoding its header Content-Encoding
 * @param shown how messages name the answer
 * @throws RetrainError SOURCE_INVALID for what is larger or cannot be unpacked; what the connection throws
 */
export async function answerBody(
  body: Readable,
  encoding: string | undefined,
  mostBytes: number,
  shown: string,
): Promise<Buffer> {
  const name = (encoding ?? '').trim().toLowerCase();
  if (name === '' || name === 'identity') return bytesOf(body, mostBytes, shown);
  const unpack = UNPACK[name];
  if (unpack === undefined) {
    body.destroy();
    throw new RetrainError(
      'SOURCE_INVALID',
      `${shown} is packed as ${name.slice(0, 40)}, expected gzip or nothing; it cannot be read`,
    );
  }
  const unpacked = unpack();
  body.on('error', (error) => unpacked.destroy(error));
  body.pipe(unpacked);
  try {
    return await bytesOf(unpacked, mostBytes, shown);
  } catch (error) {
    const { code = '' } = error as NodeJS.ErrnoException;
    if (!/^(Z_|ERR_.*BROTLI|ERR__ERROR)/.test(code)) throw error;
    throw new RetrainError(
      'SOURCE_INVALID',
      `${shown} is not ${name} all through (${(error as Error).message}); it was cut off, or is something else`,
      { cause: error },
    );
  } finally {
    body.destroy();
  }
}

async function bytesOf(stream: Readable, mostBytes: number, shown: string): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of stream as AsyncIterable<Buffer>) {
    size += chunk.length;
    // Leaving the loop ends the stream, and with it the connection.
    if (size > mostBytes) throw tooLarge(shown, mostBytes);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

export function tooLarge(shown: string, mostBytes: number): RetrainError {
  return new RetrainError(
    'SOURCE_INVALID',
    `${shown} is larger than the ${mostBytes} bytes that are left of max_bytes for this day; ask for less at a time, or raise max_bytes`,
  );
}
