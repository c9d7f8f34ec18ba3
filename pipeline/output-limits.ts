import { lstat } from 'node:fs/promises';
import { MOST_JSON_BYTES } from '../contracts/bounded-json';
import { RetrainError } from '../contracts/errors';
import { ARTIFACT } from '../contracts/stage';

const GIB = 2 ** 30;

/** Most bytes of what a stage may leave, by its name. */
const MOST: Readonly<Record<string, number>> = {
  [ARTIFACT.train]: 64 * GIB,
  [ARTIFACT.features]: 64 * GIB,
  [ARTIFACT.test]: 64 * GIB,
  [ARTIFACT.testKeys]: 64 * GIB,
  // 8 bytes a row.
  [ARTIFACT.trainTimes]: 8 * GIB,
  // 7 bytes a row.
  [ARTIFACT.seenRows]: 8 * GIB,
  // What the format itself can hold: protobuf counts in 31 bits.
  [ARTIFACT.model]: 2 * GIB - 1,
};

/** Most bytes of an output: JSON unless its name says otherwise. */
export const mostBytes = (name: string): number => MOST[name] ?? MOST_JSON_BYTES;

/**
 * Looks at what a stage left before anything opens it: a regular file, of a size that such a file can have.
 *
 * @param file where it is
 * @returns whether it is there
 * @throws RetrainError STAGE_UNSAFE
 */
export async function requireSafeOutput(file: string, stage: string, name: string): Promise<boolean> {
  const info = await lstat(file).catch(() => undefined);
  if (info === undefined) return false;
  const refused = (what: string): RetrainError =>
    new RetrainError('STAGE_UNSAFE', `${stage}: out/${name} ${what}; it is not read`);
  if (!info.isFile()) {
    const kind = info.isDirectory()
      ? 'a folder'
      : info.isSymbolicLink()
        ? 'a symbolic link'
        : 'neither a file nor a folder';
    throw refused(`is ${kind}, expected a regular file`);
  }
  if (info.size > mostBytes(name))
    throw refused(`has ${info.size} bytes, expected at most ${mostBytes(name)}`);
  return true;
}
