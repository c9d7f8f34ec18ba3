import { Worker } from 'node:worker_threads';
import type { FileDigest } from './digest';

const SLOT_BYTES = 1 << 20;
const SLOTS = 8;

/** Where the counters stand in the shared control block; after them come the lengths of the slots. */
const PRODUCED = 0;
const CONSUMED = 1;
const LENGTHS = 2;

interface ThreadInput {
  role: 'feeder' | 'follower';
  fd: number;
  copyTo: number | null;
  slots: SharedArrayBuffer;
  control: SharedArrayBuffer;
  slotBytes: number;
  slotCount: number;
  produced: number;
  consumed: number;
  lengths: number;
}

interface ThreadOutput {
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
  const shared = {
    fd,
    copyTo: options.copyTo ?? null,
    slots: new SharedArrayBuffer(SLOT_BYTES * SLOTS),
    control: new SharedArrayBuffer((LENGTHS + SLOTS) * Int32Array.BYTES_PER_ELEMENT),
    slotBytes: SLOT_BYTES,
    slotCount: SLOTS,
    produced: PRODUCED,
    consumed: CONSUMED,
    lengths: LENGTHS,
  };
  options.signal?.throwIfAborted();
  const workers = (['feeder', 'follower'] as const).map(
    (role) => new Worker(`(${thread.toString()})()`, { eval: true, workerData: { ...shared, role } }),
  );
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

function outcome(worker: Worker): Promise<ThreadOutput> {
  return new Promise((resolve, reject) => {
    worker.once('message', resolve);
    worker.once('error', reject);
    worker.once('exit', (code) => reject(new Error(`a digest thread ended with code ${code} and no result`)));
  });
}

/**
 * Body of both threads. Its source text is what the thread evaluates, so that it needs no file of its own: it must
 * not refer to anything outside itself.
 */
function thread(): void {
  const { createHash } = process.getBuiltinModule('node:crypto');
  const { readSync, writeSync } = process.getBuiltinModule('node:fs');
  const threads = process.getBuiltinModule('node:worker_threads');
  const input = threads.workerData as ThreadInput;
  const control = new Int32Array(input.control);
  const slot = (block: number) =>
    new Uint8Array(input.slots, (block % input.slotCount) * input.slotBytes, input.slotBytes);
  const waitUntil = (counter: number, atLeast: number) => {
    for (;;) {
      const now = Atomics.load(control, counter);
      if (now >= atLeast) return;
      Atomics.wait(control, counter, now);
    }
  };
  const advance = (counter: number, to: number) => {
    Atomics.store(control, counter, to);
    Atomics.notify(control, counter);
  };
  const fill = (buffer: Uint8Array, position: number): number => {
    let filled = 0;
    while (filled < buffer.length) {
      const read = readSync(input.fd, buffer, filled, buffer.length - filled, position + filled);
      if (read === 0) break;
      filled += read;
    }
    return filled;
  };
  const copy = (chunk: Uint8Array, position: number): void => {
    for (let written = 0; input.copyTo !== null && written < chunk.length;) {
      written += writeSync(input.copyTo, chunk, written, chunk.length - written, position + written);
    }
  };

  let sizeBytes = 0;
  const hash = createHash(input.role === 'feeder' ? 'sha256' : 'md5');
  for (let block = 0; ; block++) {
    const buffer = slot(block);
    const length = input.lengths + (block % input.slotCount);
    if (input.role === 'feeder') {
      waitUntil(input.consumed, block - input.slotCount + 1);
      control[length] = fill(buffer, sizeBytes);
      advance(input.produced, block + 1);
    } else {
      waitUntil(input.produced, block + 1);
    }
    const chunk = buffer.subarray(0, control[length]);
    if (input.role === 'feeder') copy(chunk, sizeBytes);
    hash.update(chunk);
    sizeBytes += chunk.length;
    if (chunk.length < input.slotBytes) break;
    if (input.role === 'follower') advance(input.consumed, block + 1);
  }
  threads.parentPort?.postMessage({ digest: hash.digest('hex'), sizeBytes });
}
