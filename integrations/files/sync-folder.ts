import { open } from 'node:fs/promises';

/** Brings a folder's names to the disk, so that a file that was renamed is there after a power cut, too. */
export async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
