import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { RetrainError } from '../../contracts/errors';
import type { FileDigest } from '../../ml/hashing/digest';
import { DIGEST_BYTES, MD5_BYTES, takeFiles, type BulkFailure, type BulkInput } from './take-files';

export interface BulkOptions {
  /** Keep a copy of each file: objects go to `<objectsDir>/<2>/<rest>`, made in `stagingDir`,
   * a fresh folder on the same file system that the caller removes. */
  store?: { objectsDir: string; stagingDir: string };
  /** Default: one per core, at most 8. */
  threads?: number;
  signal?: AbortSignal;
  /** Called about five times a second. */
  onProgress?: (progress: { done: number; total: number }) => void;
}

/** Below both of these a thread costs more than it saves (two threads start in 30 ms). */
const INLINE_FILES = 64;
const INLINE_BYTES = 8 << 20;
const MOST_THREADS = 8;
/** A thread makes only short-lived garbage; left alone, its young generation grows to 48 MiB. */
const THREAD_HEAP = { maxYoungGenerationSizeMb: 4 };
const PROGRESS_MS = 200;
const THREAD_ENTRY = join(__dirname, 'bulk-thread.js');

/** Digests of many files, packed: 56 bytes each, so that a million of them stay small. */
export class DigestList {
  constructor(
    private readonly digests: Buffer,
    private readonly sizes: Float64Array,
  ) {}

  get length(): number {
    return this.sizes.length;
  }

  at(index: number): FileDigest {
    const start = index * DIGEST_BYTES;
    return {
      md5: this.digests.toString('hex', start, start + MD5_BYTES),
      sha256: this.digests.toString('hex', start + MD5_BYTES, start + DIGEST_BYTES),
      sizeBytes: this.sizes[index]!,
    };
  }
}

/**
 * SHA-256 and MD5 of many files, each read once, on several threads. With `store`, each file is copied into the cache on the
 * way, unless its object is there.
 *
 * @returns in the order of `paths`
 * @throws RetrainError `DATA_CHANGED` when a file was written to or went away meanwhile; the file system’s errors otherwise
 */
export async function digestMany(
  paths: readonly string[],
  sizeBytes: number,
  options: BulkOptions = {},
): Promise<DigestList> {
  options.signal?.throwIfAborted();
  const input: BulkInput = {
    paths,
    next: new Int32Array(new SharedArrayBuffer(4)),
    digests: new Uint8Array(new SharedArrayBuffer(paths.length * DIGEST_BYTES)),
    sizes: new Float64Array(new SharedArrayBuffer(paths.length * 8)),
    store: options.store ?? null,
  };
  const inline = paths.length <= INLINE_FILES && sizeBytes <= INLINE_BYTES;
  const failure = inline ? takeFiles(input) : await onThreads(input, options);
  if (failure) throw asError(failure);
  return new DigestList(Buffer.from(input.digests.buffer), input.sizes);
}

async function onThreads(input: BulkInput, options: BulkOptions): Promise<BulkFailure | null> {
  const count = options.threads ?? Math.min(availableParallelism(), MOST_THREADS, input.paths.length);
  const workers = Array.from(
    { length: count },
    () => new Worker(THREAD_ENTRY, { workerData: input, resourceLimits: THREAD_HEAP }),
  );
  const stop = () => workers.forEach((worker) => void worker.terminate());
  options.signal?.addEventListener('abort', stop, { once: true });
  const total = input.paths.length;
  const ticker = setInterval(
    () => options.onProgress?.({ done: Math.min(total, Atomics.load(input.next, 0)), total }),
    PROGRESS_MS,
  );
  try {
    const failures = await Promise.all(workers.map((worker) => outcome(worker)));
    return failures.find((failure) => failure !== null) ?? null;
  } catch (error) {
    options.signal?.throwIfAborted();
    throw error;
  } finally {
    clearInterval(ticker);
    options.signal?.removeEventListener('abort', stop);
    await Promise.all(workers.map((worker) => worker.terminate()));
  }
}

function outcome(worker: Worker): Promise<BulkFailure | null> {
  return new Promise((resolve, reject) => {
    worker.once('message', resolve);
    worker.once('error', reject);
    worker.once('exit', (code) => reject(new Error(`a digest thread ended with code ${code} and no result`)));
  });
}

function asError({ path, code, message }: BulkFailure): Error {
  if (code === 'CHANGED' || code === 'ENOENT') {
    const what = code === 'CHANGED' ? 'changed' : 'vanished';
    return new RetrainError(
      'DATA_CHANGED',
      `${path} ${what} while it was read; let its writer finish, then start again`,
    );
  }
  return Object.assign(new Error(message), { code });
}
