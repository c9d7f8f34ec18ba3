import { mkdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { type Environment } from '../../integrations/files/dot-env';
import { withFileLock } from '../../integrations/files/file-lock';

/**
 * Where downloaded and built programs are kept, outside every clone: RETRAIN_TOOLS_DIR, or `retrain` in the
 * user's cache folder.
 */
export function toolsCacheDir(env: Environment): string {
  if (env['RETRAIN_TOOLS_DIR']) return env['RETRAIN_TOOLS_DIR'];
  const userCache = env['XDG_CACHE_HOME'] || join(env['HOME'] || homedir(), '.cache');
  return join(userCache, 'retrain');
}

/** Present in a tool's folder once its installation is complete. */
const COMPLETE = '.complete';

/** Whether a tool's folder is there and complete. */
export function isInstalled(cacheDir: string, name: string): boolean {
  return statSync(join(cacheDir, name, COMPLETE), { throwIfNoEntry: false }) !== undefined;
}

/**
 * Installs a tool once: of several set-ups at the same time one works and the others wait for it. What an
 * interrupted one left is removed and done again; a folder counts only once it is marked complete.
 *
 * @param name folder of the tool in the cache, with its version: `temporal-1.5.1`
 * @param install fills the empty folder that it is given
 * @param onWait told who holds the lock, once, when this set-up must wait
 * @param intact whether a complete installation still works; else it is done again
 * @returns the tool's folder
 */
export async function installOnce(
  cacheDir: string,
  name: string,
  install: (folder: string) => Promise<void>,
  onWait: (holder: string) => void,
  intact: (folder: string) => boolean = () => true,
): Promise<string> {
  const folder = join(cacheDir, name);
  const usable = (): boolean => isInstalled(cacheDir, name) && intact(folder);
  if (usable()) return folder;
  mkdirSync(cacheDir, { recursive: true });
  return withFileLock(join(cacheDir, `${name}.lock`), { onWait, timeoutMs: Infinity }, async () => {
    if (usable()) return folder;
    rmSync(folder, { recursive: true, force: true });
    mkdirSync(folder);
    try {
      await install(folder);
    } catch (error) {
      rmSync(folder, { recursive: true, force: true });
      throw error;
    }
    writeFileSync(join(folder, COMPLETE), `${new Date().toISOString()}\n`);
    return folder;
  });
}
