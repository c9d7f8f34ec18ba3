import { createReadStream } from 'node:fs';
import { pipeline } from 'node:stream/promises';
import { createGunzip } from 'node:zlib';
import { RetrainError } from '../../contracts/errors';
import { type DataFile } from './data-files';
import { shownGib, SMALLER } from './room';

/** Text of a table is seldom more than this many times what the columns of it that are read take. */
const TEXT_FACTOR = 32;

/**
 * Unzips a compressed file to nowhere: DuckDB reads one that was cut off as far as it goes, without a word, and one
 * that expands a thousand times for as long as it takes.
 *
 * @param memoryBytes What the stage may take; absent: anything.
 * @throws RetrainError DATA_INVALID for a file that is cut off or damaged, DATA_TOO_LARGE for one that expands beyond
 * any table that would have room.
 */
export async function requireWholeGzip(
  { path, file, gzip, sizeBytes }: DataFile,
  memoryBytes: number | undefined,
  signal?: AbortSignal,
): Promise<void> {
  if (!gzip) return;
  const most = (memoryBytes ?? Infinity) * TEXT_FACTOR;
  let bytes = 0;
  // An error thrown at the end of a pipeline leaves it as the AbortError of what came before.
  let tooLarge: RetrainError | undefined;
  // As is one of a damaged file, where the read stream has not ended yet.
  let damaged: unknown;
  const gunzip = createGunzip({ chunkSize: 1 << 18 }).once('error', (error) => (damaged = error));
  await pipeline(
    createReadStream(path, { highWaterMark: 1 << 18 }),
    gunzip,
    async (chunks: AsyncIterable<Buffer>) => {
      for await (const chunk of chunks) {
        bytes += chunk.length;
        if (bytes > most) {
          tooLarge = new RetrainError(
            'DATA_TOO_LARGE',
            `${file}: ${sizeBytes} bytes expand to more than ${shownGib(most)}, ${TEXT_FACTOR} times the memory that a stage may take; ${SMALLER}`,
          );
          throw tooLarge;
        }
      }
    },
    { ...(signal === undefined ? {} : { signal }) },
  ).catch((error: unknown) => {
    const known = tooLarge ?? damagedGzip(file, damaged ?? error);
    if (known !== undefined) throw known;
    if (signal?.aborted === true || !isAbort(error)) throw error;
    // zlib stops at the end of what was packed and takes no byte more.
    throw new RetrainError(
      'DATA_INVALID',
      `${file}: is damaged: bytes follow the end of the gzip file; get or write it again`,
      { cause: error },
    );
  });
}

/** What to say of an error of zlib; undefined for another. */
export function damagedGzip(file: string, error: unknown): RetrainError | undefined {
  const code = typeof error === 'object' && error !== null && 'code' in error ? String(error.code) : '';
  if (!code.startsWith('Z_')) return undefined;
  return new RetrainError(
    'DATA_INVALID',
    `${file}: ${code === 'Z_BUF_ERROR' ? 'is cut off: the gzip file has no end' : 'is damaged: its bytes are not what gzip wrote'}; get or write it again`,
    { cause: error },
  );
}

const isAbort = (error: unknown): boolean =>
  typeof error === 'object' && error !== null && 'name' in error && error.name === 'AbortError';
