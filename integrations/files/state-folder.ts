import { chmodSync, mkdirSync } from 'node:fs';
import path from 'node:path';
import { writeOnceSync } from './atomic-write';

/** What only their owner may read: databases with everybody's runs, logs, reports. */
export const PRIVATE_DIR = 0o700;
export const PRIVATE_FILE = 0o600;

/**
 * Makes the state folder if it is not there, for its owner only, and keeps it out of git in any project: a `.gitignore` inside it
 * ignores all of it. Safe to repeat; the rights of a folder that was made by an older version, or by hand, are corrected, if it
 * is ours.
 *
 * @param state see `stateDir`
 */
export function makeStateFolder(state: string): void {
  mkdirSync(state, { recursive: true, mode: PRIVATE_DIR });
  onlyIfOurs(() => chmodSync(state, PRIVATE_DIR));
  writeOnceSync(path.join(state, '.gitignore'), '*\n', PRIVATE_FILE);
}

/** A volume's root that is somebody else's, or a file system without rights, stays as it is. */
function onlyIfOurs(change: () => void): void {
  try {
    change();
  } catch (error) {
    if (!['EPERM', 'EROFS', 'ENOTSUP'].includes((error as NodeJS.ErrnoException).code ?? '')) throw error;
  }
}
