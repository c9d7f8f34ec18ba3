import { createHash } from 'node:crypto';
import fs from 'node:fs';

export const MD5_BYTES = 16;
/** An MD5, then a SHA-256. */
export const DIGEST_BYTES = MD5_BYTES + 32;

/** What the threads of one bulk digest share. */
export interface BulkInput {
  paths: readonly string[];
  /** `[1]`, shared: index of the next file to take; set past the end to stop all threads. */
  next: Int32Array;
  /** `[n * DIGEST_BYTES]`, shared: MD5, then SHA-256 of each file. */
  digests: Uint8Array;
  /** `[n]`, shared: bytes of each file. */
  sizes: Float64Array;
  store: { objectsDir: string; stagingDir: string } | null;
}

export interface BulkFailure {
  path: string;
  /** Of the file system, or `CHANGED`. */
  code: string;
  message: string;
}

/**
 * Takes files from the shared list until none is left: reads each once, digests it, and copies it into the
 * cache. Everything is synchronous, which for small files is twice as fast as asynchronous reads; hence a thread.
 *
 * @returns the first failure, which also stops the other threads
 */
export function takeFiles(input: BulkInput): BulkFailure | null {
  const { paths, next, digests, sizes, store } = input;
  const buffer = Buffer.allocUnsafe(1 << 20);

  const read = (fd: number, position: number): Uint8Array => {
    let filled = 0;
    while (filled < buffer.length) {
      const bytes = fs.readSync(fd, buffer, filled, buffer.length - filled, position + filled);
      if (bytes === 0) break;
      filled += bytes;
    }
    return buffer.subarray(0, filled);
  };

  /** Whether a good object is there: of this size and read-only, as DVC judges too. */
  const kept = (object: string, size: number): boolean => {
    const stat = fs.statSync(object, { throwIfNoEntry: false });
    return stat !== undefined && stat.size === size && (stat.mode & 0o222) === 0;
  };

  const settle = (staged: string, object: string): void => {
    try {
      fs.renameSync(staged, object);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
      fs.mkdirSync(object.slice(0, object.lastIndexOf('/')), { recursive: true });
      fs.renameSync(staged, object);
    }
  };

  const digestAndKeep = (index: number): void => {
    const fd = fs.openSync(paths[index]!, 'r');
    let target: number | undefined;
    const staged = store && `${store.stagingDir}/${index}`;
    try {
      const before = fs.fstatSync(fd);
      const md5 = createHash('md5');
      const sha256 = createHash('sha256');
      let size = 0;
      let chunk = read(fd, 0);
      // A file of several chunks is copied while it is read; one that fits the buffer, only once its name is known to be new.
      const streamed = chunk.length === buffer.length;
      if (staged && streamed) target = fs.openSync(staged, 'wx', 0o444);
      for (; chunk.length > 0; chunk = chunk.length < buffer.length ? chunk.subarray(0, 0) : read(fd, size)) {
        md5.update(chunk);
        sha256.update(chunk);
        if (target !== undefined) fs.writeFileSync(target, chunk);
        size += chunk.length;
      }
      const after = fs.fstatSync(fd);
      if (after.mtimeMs !== before.mtimeMs || after.size !== size || before.size !== size) {
        throw Object.assign(new Error('the file changed while it was read'), { code: 'CHANGED' });
      }
      const md5Bytes = md5.digest();
      digests.set(md5Bytes, index * DIGEST_BYTES);
      digests.set(sha256.digest(), index * DIGEST_BYTES + MD5_BYTES);
      sizes[index] = size;
      if (!store || !staged) return;
      const name = md5Bytes.toString('hex');
      const object = `${store.objectsDir}/${name.slice(0, 2)}/${name.slice(2)}`;
      if (kept(object, size)) return;
      if (!streamed) {
        target = fs.openSync(staged, 'wx', 0o444);
        fs.writeFileSync(target, buffer.subarray(0, size));
      }
      settle(staged, object);
    } finally {
      fs.closeSync(fd);
      if (target !== undefined) fs.closeSync(target);
    }
  };

  for (;;) {
    const index = Atomics.add(next, 0, 1);
    if (index >= paths.length) return null;
    try {
      digestAndKeep(index);
    } catch (error) {
      Atomics.store(next, 0, paths.length);
      const { code, message } = error as NodeJS.ErrnoException;
      return { path: paths[index]!, code: code ?? 'UNKNOWN', message };
    }
  }
}
