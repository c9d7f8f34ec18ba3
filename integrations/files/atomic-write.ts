import { randomBytes } from 'node:crypto';
import { chmod, mkdir, rename, rm, stat, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';

/** Replaces a small file as a whole, keeping its mode: whoever reads it sees the old text or the new. */
export async function writeAtomically(path: string, text: string): Promise<void> {
  const beside = `${path}.${randomBytes(6).toString('hex')}.tmp`;
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
