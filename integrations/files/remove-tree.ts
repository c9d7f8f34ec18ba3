import { execFile } from 'node:child_process';
import { rm } from 'node:fs/promises';
import { promisify } from 'node:util';

/** Gives its owner back the rights that a stage took away, then removes it; both go by open folders, not by paths. */
const BY_HAND = 'chmod -R u+rwX -- "$1" 2>/dev/null; exec rm -rf -- "$1"';

const HANDS_MS = 60_000;

/**
 * Removes a folder that a stage has written to, whatever it left: folders nested deeper than a path can be long, or that nobody may
 * enter. What is not there is no error.
 *
 * @throws Error when something stays: files of another user, a read-only disk
 */
export async function removeTree(folder: string): Promise<void> {
  try {
    await rm(folder, { recursive: true, force: true });
  } catch {
    await promisify(execFile)('/bin/sh', ['-c', BY_HAND, 'sh', folder], { timeout: HANDS_MS });
  }
}

/** `removeTree` where what stays does no harm now; the next sweep finds it again. */
export async function removeTreeLater(folder: string): Promise<void> {
  await removeTree(folder).catch(() => undefined);
}
