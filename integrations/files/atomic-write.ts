import { randomBytes } from 'node:crypto';
import { existsSync, linkSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { chmod, mkdir, rename, rm, stat, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { writingTo } from './storage-trouble';

/**
 * Replaces a small file as a whole, keeping its mode: whoever reads it sees the old text or the new.
 *
 * @throws RetrainError DISK_FULL, STORAGE_REFUSED
 */
export async function writeAtomically(path: string, text: string): Promise<void> {
  await writingTo({ folder: path, needBytes: Buffer.byteLength(text) }, () => replace(path, text));
}

/**
 * Makes a small file, whole, unless there is one; of two at the same time the first one's counts.
 *
 * @param mode for a new file
 */
export function writeOnceSync(path: string, content: string | Uint8Array, mode: number): void {
  if (existsSync(path)) return;
  const beside = besides(path);
  try {
    writeFileSync(beside, content, { flag: 'wx', mode });
    try {
      linkSync(beside, path);
    } catch (error) {
      const { code = '' } = error as NodeJS.ErrnoException;
      // A file system without hard links.
      if (['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS'].includes(code)) renameSync(beside, path);
      else if (code !== 'EEXIST') throw error;
    }
  } finally {
    rmSync(beside, { force: true });
  }
}

async function replace(path: string, text: string): Promise<void> {
  const beside = besides(path);
  await mkdir(dirname(path), { recursive: true });
  try {
    await writeFile(beside, text, { flag: 'wx' });
    const existing = await stat(path).catch(() => undefined);
    if (existing) await chmod(beside, existing.mode & 0o777);
    await rename(beside, path);
  } finally {
    await rm(beside, { force: true });
  }
}

function besides(path: string): string {
  return `${path}.${randomBytes(6).toString('hex')}.tmp`;
}
