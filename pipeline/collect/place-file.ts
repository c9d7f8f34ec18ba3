import { randomBytes } from 'node:crypto';
import { copyFile, mkdir, open, rename, rm } from 'node:fs/promises';
import path from 'node:path';
import { writingTo } from '../../integrations/files/storage-trouble';
import { syncFolder } from '../../integrations/files/sync-folder';

/** The steps of a collection that write. A test ends one between two of them. */
export type WritingStep = 'told' | 'quarantined' | 'written' | 'kept' | 'placed' | 'recorded' | 'tidied';

/**
 * Puts a file at its place: there whole, or as it was. It is written where no reader of the data looks, is on the disk before it has its name, and replaces what
 * is there in one step.
 *
 * @param beside folder for what is being written, on the same file system
 * @throws RetrainError DISK_FULL, STORAGE_REFUSED
 */
export async function placeFile(
  file: string,
  bytes: Uint8Array,
  beside: string,
  onStep: (step: WritingStep) => void = () => undefined,
): Promise<void> {
  await writingTo({ folder: file, needBytes: bytes.length }, async () => {
    const unfinished = path.join(beside, `.${path.basename(file)}.${randomBytes(6).toString('hex')}.tmp`);
    try {
      await writeThrough(unfinished, bytes);
      onStep('written');
      await rename(unfinished, file).catch(async (error: NodeJS.ErrnoException) => {
        // Another file system: once more, in the folder itself.
        if (error.code !== 'EXDEV') throw error;
        const inside = path.join(path.dirname(file), path.basename(unfinished));
        try {
          await writeThrough(inside, bytes);
          await rename(inside, file);
        } finally {
          await rm(inside, { force: true });
        }
      });
      await syncFolder(path.dirname(file));
      onStep('placed');
    } finally {
      await rm(unfinished, { force: true });
    }
  });
}

async function writeThrough(file: string, bytes: Uint8Array): Promise<void> {
  const handle = await open(file, 'wx', 0o644);
  try {
    await handle.writeFile(bytes);
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** Keeps a copy of what is about to be replaced, by its content; there once, however often. */
export async function keepCopy(file: string, folder: string, sha256: string): Promise<void> {
  const { name, ext } = path.parse(file);
  const copy = path.join(folder, `${name}.${sha256.slice(0, 12)}${ext}`);
  await writingTo({ folder }, async () => {
    await mkdir(folder, { recursive: true });
    const unfinished = `${copy}.${randomBytes(6).toString('hex')}.tmp`;
    try {
      await copyFile(file, unfinished);
      await rename(unfinished, copy);
    } finally {
      await rm(unfinished, { force: true });
    }
  });
}
