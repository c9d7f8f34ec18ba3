import { randomBytes } from 'node:crypto';
import { constants, linkSync } from 'node:fs';
import { chmod, copyFile, link, mkdir, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { setImmediate as breathe } from 'node:timers/promises';

/**
 * How a file comes out of the cache. `link`: a reflink where the file system can, else a hard link, else a copy;
 * read-only, as a hard link is the cached object itself. `copy`: a reflink or a copy that its owner may write to.
 */
export type PlaceMode = 'link' | 'copy';

/** Links between two turns of the event loop: about 10 ms. */
const FILES_PER_TURN = 500;

/** Errors after which the next way is tried: not supported, other file system, not permitted, too many links. */
const NEXT_WAY = new Set(['ENOTSUP', 'EOPNOTSUPP', 'EXDEV', 'EPERM', 'EMLINK', 'EINVAL', 'ENOSYS', 'ENOTTY']);

/**
 * Puts the content of `source` at `dest`, whose folder is made; a file that is there is replaced atomically.
 *
 * @param mode see `PlaceMode`; `link` leaves mode 0444, `copy` 0644
 * @throws the file system’s own error, ENOENT when the source is not there
 */
export async function placeFile(source: string, dest: string, mode: PlaceMode): Promise<void> {
  if (await placeNew(source, dest, mode)) return;
  const beside = besides(dest);
  try {
    await placeNew(source, beside, mode);
    await rename(beside, dest);
  } finally {
    // A rename onto another link of the same file does nothing and leaves the source.
    await rm(beside, { force: true });
  }
}

/**
 * Puts many files at once, each as `placeFile` does; a link is one synchronous call, which takes a fifth of the time.
 *
 * @param placed called after each, with its index
 */
export async function placeFiles(
  files: readonly { source: string; dest: string }[],
  mode: PlaceMode,
  options: { signal?: AbortSignal; placed?: (index: number) => void } = {},
): Promise<void> {
  const canClone = files[0] ? await canReflink(files[0].source, files[0].dest) : false;
  for (const [index, { source, dest }] of files.entries()) {
    if (canClone || mode === 'copy' || !linked(source, dest)) await placeFile(source, dest, mode);
    options.placed?.(index);
    if (index % FILES_PER_TURN === 0) {
      await breathe();
      options.signal?.throwIfAborted();
    }
  }
}

/** Whether a hard link could be made at once; for every obstacle there is `placeFile`. */
function linked(source: string, dest: string): boolean {
  try {
    linkSync(source, dest);
    return true;
  } catch {
    return false;
  }
}

async function canReflink(source: string, dest: string): Promise<boolean> {
  const probe = besides(dest);
  try {
    await mkdir(dirname(dest), { recursive: true });
    return await reflink(source, probe);
  } finally {
    await rm(probe, { force: true });
  }
}

function besides(path: string): string {
  return `${path}.${randomBytes(6).toString('hex')}.tmp`;
}

/** False when something is at `dest` already. */
async function placeNew(source: string, dest: string, mode: PlaceMode): Promise<boolean> {
  try {
    await withFolder(dest, async () => {
      if (await reflink(source, dest)) return chmod(dest, mode === 'link' ? 0o444 : 0o644);
      if (mode === 'link' && (await attempt(() => link(source, dest)))) return;
      await copyFile(source, dest, constants.COPYFILE_EXCL);
      await chmod(dest, mode === 'link' ? 0o444 : 0o644);
    });
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

/** Clones a file (btrfs, XFS, APFS): false when the file system cannot. `dest` must not be there. */
export async function reflink(source: string, dest: string): Promise<boolean> {
  return attempt(() => copyFile(source, dest, constants.COPYFILE_FICLONE_FORCE | constants.COPYFILE_EXCL));
}

async function attempt(way: () => Promise<void>): Promise<boolean> {
  try {
    await way();
    return true;
  } catch (error) {
    if (NEXT_WAY.has((error as NodeJS.ErrnoException).code ?? '')) return false;
    throw error;
  }
}

async function withFolder(path: string, make: () => Promise<void>): Promise<void> {
  try {
    await make();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    await mkdir(dirname(path), { recursive: true });
    await make();
  }
}
