import { chmod, chown, lstat, opendir, readlink } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { RetrainError } from '../../contracts/errors';

/** Entries below out/; more are no outputs but an attack on the file system. */
const MOST_ENTRIES = 200_000;

/** Folders in folders below out/; outputs are files. */
const MOST_DEPTH = 32;

/**
 * Checks what a container left, once it is gone and nothing can change any more: regular files and folders only, since
 * a link in out/ would make the worker read, or hash, or store a file of the host. Then makes all of it the worker's own.
 *
 * @throws RetrainError STAGE_UNSAFE that names the entry
 */
export async function takeOver(out: string, stage: string): Promise<void> {
  const root = process.getuid?.() === 0;
  for await (const { path, kind } of entries(out, stage)) {
    if (kind === 'link') {
      throw unsafe(
        stage,
        `left the symbolic link out/${relative(out, path)} to ${await readlink(path)}; outputs must be files`,
      );
    }
    if (kind === 'other') {
      throw unsafe(
        stage,
        `left out/${relative(out, path)}, which is neither a file nor a folder; outputs must be files`,
      );
    }
    if (root) await chown(path, 0, 0);
    await chmod(path, kind === 'folder' ? 0o755 : 0o644);
  }
}

/** Bytes that the files below out/ take up on disk. @throws RetrainError STAGE_UNSAFE for too many entries */
export async function usedBytes(out: string, stage: string): Promise<number> {
  let total = 0;
  for await (const { blocks } of entries(out, stage)) total += blocks * 512;
  return total;
}

interface Entry {
  path: string;
  kind: 'file' | 'folder' | 'link' | 'other';
  blocks: number;
}

async function* entries(out: string, stage: string): AsyncGenerator<Entry> {
  const folders = [{ folder: out, depth: 0 }];
  let count = 0;
  for (let next = folders.pop(); next !== undefined; next = folders.pop()) {
    const { folder, depth } = next;
    if (depth > MOST_DEPTH) throw unsafe(stage, `nested folders more than ${MOST_DEPTH} deep in out/`);
    // What the stage removes while we look is no error.
    const listing = await opendir(folder).catch((error: unknown) => {
      if (['ENOENT', 'EACCES'].includes((error as NodeJS.ErrnoException).code ?? '')) return undefined;
      throw error;
    });
    if (listing === undefined) continue;
    for await (const { name } of listing) {
      if (++count > MOST_ENTRIES) throw unsafe(stage, `wrote more than ${MOST_ENTRIES} files to out/`);
      const path = join(folder, name);
      const info = await lstat(path).catch(() => undefined);
      if (info === undefined) continue;
      const kind = info.isFile()
        ? 'file'
        : info.isDirectory()
          ? 'folder'
          : info.isSymbolicLink()
            ? 'link'
            : 'other';
      yield { path, kind, blocks: info.blocks };
      if (kind === 'folder') folders.push({ folder: path, depth: depth + 1 });
    }
  }
}

/** @param what goes on after the stage's name: `left the symbolic link …` */
export function unsafe(stage: string, what: string): RetrainError {
  return new RetrainError('STAGE_UNSAFE', `${stage} ${what}`);
}
