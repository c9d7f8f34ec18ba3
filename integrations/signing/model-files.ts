import { lstatSync, readdirSync, statSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { RetrainError } from '../../contracts/errors';
import { type Artifact } from '../../contracts/stage';
import { digestFile } from '../../ml/hashing/digest-file';

/** A file of a model directory; its name is the path below the directory, with `/`. */
export type HashedFile = Pick<Artifact, 'name' | 'sha256'>;

/**
 * The files of a model directory and their hashes, in the order of OpenSSF Model Signing: by the parts of their paths, so that a
 * folder’s files come before `folder-x`.
 *
 * @param ignored paths below the directory; all that is below one is left out, too
 * @throws RetrainError `DATA_NOT_FOUND` when there is no such directory; `VERIFICATION_FAILED` for a symbolic link, unless they
 *   are followed
 */
export async function modelFiles(
  dir: string,
  ignored: readonly string[],
  options: { followLinks?: boolean; signal?: AbortSignal } = {},
): Promise<HashedFile[]> {
  if (!statSync(dir, { throwIfNoEntry: false })?.isDirectory()) {
    throw new RetrainError('DATA_NOT_FOUND', `${dir}: no such folder; expected the directory of a model`);
  }
  const names = namesBelow(dir, '', ignored, options.followLinks ?? false).sort(byParts);
  const files: HashedFile[] = [];
  for (const name of names) {
    const { sha256 } = await digestFile(join(dir, name), {
      ...(options.signal && { signal: options.signal }),
    });
    files.push({ name, sha256 });
  }
  return files;
}

/** The name by which a model directory is signed. */
export function modelName(dir: string): string {
  return basename(resolve(dir));
}

function namesBelow(dir: string, folder: string, ignored: readonly string[], followLinks: boolean): string[] {
  return readdirSync(join(dir, folder)).flatMap((entry) => {
    const name = folder === '' ? entry : `${folder}/${entry}`;
    if (ignored.some((path) => name === path || name.startsWith(`${path}/`))) return [];
    const found = lstatSync(join(dir, name));
    if (found.isSymbolicLink() && !followLinks) {
      throw new RetrainError(
        'VERIFICATION_FAILED',
        `${join(dir, name)} is a symbolic link, which a signature does not cover; put the file itself there`,
      );
    }
    if (found.isDirectory()) return namesBelow(dir, name, ignored, followLinks);
    return statSync(join(dir, name)).isFile() ? [name] : [];
  });
}

/** Python’s order of paths: part by part, each by code point. UTF-8 keeps that order. */
function byParts(a: string, b: string): number {
  const [left, right] = [a.split('/'), b.split('/')];
  for (const [index, part] of left.entries()) {
    const other = right[index];
    if (other === undefined) return 1;
    if (part !== other) return Buffer.compare(Buffer.from(part), Buffer.from(other));
  }
  return left.length - right.length;
}
