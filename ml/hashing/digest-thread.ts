// A thread of `digestOnThreads`. The feeder reads the file into the ring, copies it, and takes the SHA-256; the follower takes
// the MD5 of what is in the ring.
import { createHash } from 'node:crypto';
import { readSync, writeSync } from 'node:fs';
import { parentPort, workerData } from 'node:worker_threads';
import { BlockRing } from './block-ring';
import type { DigestThreadData, DigestThreadResult } from './digest-threads';

const { role, fd, copyTo, memory } = workerData as DigestThreadData;
const ring = new BlockRing(memory);

function read(buffer: Uint8Array, position: number): number {
  let filled = 0;
  while (filled < buffer.length) {
    const bytes = readSync(fd, buffer, filled, buffer.length - filled, position + filled);
    if (bytes === 0) break;
    filled += bytes;
  }
  return filled;
}

function copy(chunk: Uint8Array, position: number): void {
  for (let written = 0; copyTo !== null && written < chunk.length;) {
    written += writeSync(copyTo, chunk, written, chunk.length - written, position + written);
  }
}

function feed(): DigestThreadResult {
  const hash = createHash('sha256');
  let sizeBytes = 0;
  for (let block = 0; ; block++) {
    const slot = ring.free(block);
    const chunk = slot.subarray(0, read(slot, sizeBytes));
    ring.fill(block, chunk.length);
    copy(chunk, sizeBytes);
    hash.update(chunk);
    sizeBytes += chunk.length;
    if (BlockRing.isLast(chunk)) return { digest: hash.digest('hex'), sizeBytes };
  }
}

function follow(): DigestThreadResult {
  const hash = createHash('md5');
  let sizeBytes = 0;
  for (let block = 0; ; block++) {
    const chunk = ring.take(block);
    hash.update(chunk);
    sizeBytes += chunk.length;
    if (BlockRing.isLast(chunk)) return { digest: hash.digest('hex'), sizeBytes };
    ring.release(block);
  }
}

parentPort?.postMessage(role === 'feeder' ? feed() : follow());
