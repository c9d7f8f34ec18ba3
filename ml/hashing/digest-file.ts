import { constants } from 'node:fs';
import { open, type FileHandle } from 'node:fs/promises';
import { RetrainError } from '../../contracts/errors';
import { DigestPair, type FileDigest } from './digest';
import { digestOnThreads } from './digest-threads';

export type { FileDigest } from './digest';

const CHUNK_BYTES = 1 << 20;

/** From this size on, two threads gain more (a quarter of the time) than their start costs (25 ms). */
export const THREADS_FROM_BYTES = 128 << 20;

export interface DigestOptions {
  signal?: AbortSignal;
  /** Size from which the digests run on threads of their own. Default `THREADS_FROM_BYTES`. */
  threadsFromBytes?: number;
}

/**
 * SHA-256, MD5 and size of a file, in one pass and flat memory.
 *
 * @throws RetrainError `DATA_NOT_FOUND` when there is no such file, `DATA_INVALID` when it is a directory or a device,
 *   `DATA_CHANGED` when somebody wrote to it meanwhile
 */
export async function digestFile(path: string, options: DigestOptions = {}): Promise<FileDigest> {
  const handle = await openFile(path);
  try {
    return await digestHandle(handle, path, options);
  } finally {
    await handle.close();
  }
}

/** Opens a regular file for reading; the errors are those of `digestFile`. */
export async function openFile(path: string): Promise<FileHandle> {
  let handle: FileHandle;
  try {
    // A pipe without a writer would wait for one.
    handle = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') {
      throw new RetrainError('DATA_NOT_FOUND', `${path}: no such file; check the path`, { cause });
    }
    throw cause;
  }
  const stat = await handle.stat();
  if (stat.isFile()) return handle;
  await handle.close();
  const kind = stat.isDirectory() ? 'a directory' : 'a device or a pipe';
  throw new RetrainError('DATA_INVALID', `${path} is ${kind}; expected a regular file`);
}

/**
 * Digests of an open file, from its start. With `copyTo`, the same bytes go there too, so that the copy is
 * what was hashed.
 *
 * @param path for messages only
 */
export async function digestHandle(
  handle: FileHandle,
  path: string,
  options: DigestOptions & { copyTo?: FileHandle } = {},
): Promise<FileDigest> {
  const before = await handle.stat({ bigint: true });
  const { signal, copyTo } = options;
  const digest =
    before.size >= (options.threadsFromBytes ?? THREADS_FROM_BYTES)
      ? await digestOnThreads(handle.fd, {
          ...(signal && { signal }),
          ...(copyTo && { copyTo: copyTo.fd }),
        })
      : await digestInline(handle, Number(before.size), signal, copyTo);
  const after = await handle.stat({ bigint: true });
  if (
    after.mtimeNs !== before.mtimeNs ||
    after.size !== before.size ||
    BigInt(digest.sizeBytes) !== after.size
  ) {
    throw new RetrainError(
      'DATA_CHANGED',
      `${path} changed while it was read (${before.size} bytes before, ${after.size} after); let its writer finish, then start again`,
    );
  }
  return digest;
}

async function digestInline(
  handle: FileHandle,
  sizeBytes: number,
  signal: AbortSignal | undefined,
  copyTo: FileHandle | undefined,
): Promise<FileDigest> {
  const pair = new DigestPair();
  // One byte more than the file: a small one then ends within its first read.
  const buffer = Buffer.allocUnsafe(Math.min(CHUNK_BYTES, sizeBytes + 1));
  for (let position = 0; ;) {
    signal?.throwIfAborted();
    const { bytesRead } = await handle.read(buffer, 0, buffer.length, position);
    const chunk = buffer.subarray(0, bytesRead);
    pair.update(chunk);
    if (copyTo) await writeAll(copyTo, chunk, position);
    position += bytesRead;
    if (bytesRead === 0 || (bytesRead < buffer.length && position >= sizeBytes)) return pair.finish();
  }
}

async function writeAll(handle: FileHandle, chunk: Buffer, position: number): Promise<void> {
  for (let written = 0; written < chunk.length;) {
    const { bytesWritten } = await handle.write(chunk, written, chunk.length - written, position + written);
    written += bytesWritten;
  }
}
