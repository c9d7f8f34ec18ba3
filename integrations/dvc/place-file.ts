import { constants } from 'node:fs';
import { chmod, copyFile, link, mkdir, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { randomBytes } from 'node:crypto';

/**
 * How a file comes out of the cache. `link`: a reflink where the file system can, else a hard link, else a copy;
 * read-only, as a hard link is the cached object itself. `copy`: a reflink or a copy that its owner may write to.
 */
export type PlaceMode = 'link' | 'copy';

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
  const beside = `${dest}.${randomBytes(6).toString('hex')}.tmp`;
  try {
    await placeNew(source, beside, mode);
    await rename(beside, dest);
  } finally {
    // A rename onto another link of the same file does nothing and leaves the source.
    await rm(beside, { force: true });
  }
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
