import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { ringMemory, type RingMemory } from './block-ring';
import type { FileDigest } from './digest';

const THREAD_ENTRY = join(__dirname, 'digest-thread.js');

/** What a thread finds in `workerData`. */
export interface DigestThreadData {
  role: 'feeder' | 'follower';
  fd: number;
  copyTo: number | null;
  memory: RingMemory;
}

/** What a thread answers with. */
export interface DigestThreadResult {
  /** SHA-256 of the feeder, MD5 of the follower, in hex. */
  digest: string;
  sizeBytes: number;
}

/**
 * Both digests of an open file on two threads: the feeder reads each block once into a ring of shared memory (and
 * writes it to `copyTo`) and takes the SHA-256; the follower takes the MD5, the slower of the two, which then bounds
 * the whole. Both see the same bytes even when somebody writes to the file. Memory: 8 MiB and two threads,
 * whatever the size.
 *
 * @param fd read from position 0 to the end; stays open
 * @param options.copyTo a descriptor that gets the same bytes from position 0
 * @param options.signal ends both threads; the promise then rejects with its reason
 */
export async function digestOnThreads(
  fd: number,
  options: { copyTo?: number; signal?: AbortSignal } = {},
): Promise<FileDigest> {
  const shared = { fd, copyTo: options.copyTo ?? null, memory: ringMemory() };
  options.signal?.throwIfAborted();
  const workers = (['feeder', 'follower'] as const).map((role) => {
    const data: DigestThreadData = { ...shared, role };
    return new Worker(THREAD_ENTRY, { workerData: data });
  });
  const abort = () => workers.forEach((worker) => void worker.terminate());
  options.signal?.addEventListener('abort', abort, { once: true });
  try {
    const [sha256, md5] = await Promise.all(workers.map((worker) => outcome(worker)));
    return { sha256: sha256!.digest, md5: md5!.digest, sizeBytes: sha256!.sizeBytes };
  } catch (error) {
    options.signal?.throwIfAborted();
    throw error;
  } finally {
    options.signal?.removeEventListener('abort', abort);
    await Promise.all(workers.map((worker) => worker.terminate()));
  }
}

function outcome(worker: Worker): Promise<DigestThreadResult> {
  return new Promise((resolve, reject) => {
    worker.once('message', resolve);
    worker.once('error', reject);
    worker.once('exit', (code) => reject(new Error(`a digest thread ended with code ${code} and no result`)));
  });
}
