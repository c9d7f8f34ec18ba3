/**
 * Both digests of one big file against MD5 alone, which is serial and so the limit. In pairs, on a file of 1 GiB in
 * the temporary folder (TMPDIR chooses it), read once before, so that the disk stays out of it.
 */
import { createHash } from 'node:crypto';
import { closeSync, mkdtempSync, openSync, readSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { digestFile } from '../ml/hashing/digest-file';
import { median, report, timed } from './measure';

const SIZE_MIB = 1024;
const ROUNDS = 5;

function writeBigFile(file: string): void {
  const fd = openSync(file, 'w');
  const block = Buffer.alloc(1 << 20);
  for (let index = 0; index < SIZE_MIB; index++) {
    block.fill(createHash('sha256').update(String(index)).digest());
    writeSync(fd, block);
  }
  closeSync(fd);
}

async function md5Alone(file: string): Promise<void> {
  const hash = createHash('md5');
  const fd = openSync(file, 'r');
  const buffer = Buffer.alloc(1 << 20);
  for (let read = readSync(fd, buffer); read > 0; read = readSync(fd, buffer)) {
    hash.update(buffer.subarray(0, read));
  }
  closeSync(fd);
  hash.digest();
}

async function main(): Promise<void> {
  const dir = mkdtempSync(path.join(tmpdir(), 'bench-hash-'));
  try {
    const file = path.join(dir, 'big');
    writeBigFile(file);
    await md5Alone(file);
    const pairs: { ours: number; peer: number }[] = [];
    for (let round = 0; round < ROUNDS; round++) {
      const peer = await timed(() => md5Alone(file));
      pairs.push({ peer, ours: await timed(() => digestFile(file)) });
    }
    report('hash', [
      {
        what: `SHA-256 and MD5 of ${SIZE_MIB} MiB against MD5 alone`,
        ours: median(pairs.map(({ ours }) => ours)),
        peer: median(pairs.map(({ peer }) => peer)),
        unit: 'ms',
        ratio: median(pairs.map(({ ours, peer }) => ours / peer)),
        aim: '≤ 1.15',
      },
      {
        what: 'peak memory, MiB, against the limit',
        ours: process.resourceUsage().maxRSS / 1024,
        peer: 150,
        unit: 'MiB',
        ratio: process.resourceUsage().maxRSS / 1024 / 150,
        aim: '≤ 1',
      },
    ]);
  } finally {
    rmSync(dir, { recursive: true });
  }
}

void main();
