import { RetrainError } from '../../contracts/errors';
import type { HashedFile } from './model-files';

/**
 * Compares the files of a model with those that were recorded.
 *
 * @param by what recorded them, for the message: `the signature`
 * @throws RetrainError `VERIFICATION_FAILED`, naming the first file that differs, is missing, or is not recorded
 */
export function compareFiles(
  dir: string,
  actual: readonly HashedFile[],
  recorded: readonly HashedFile[],
  by: string,
): void {
  const found = new Map(actual.map(({ name, sha256 }) => [name, sha256]));
  for (const { name, sha256 } of recorded) {
    const now = found.get(name);
    if (now === sha256) {
      found.delete(name);
      continue;
    }
    const what = now === undefined ? 'is missing' : `has SHA-256 ${now}`;
    throw new RetrainError(
      'VERIFICATION_FAILED',
      `${dir}/${name} ${what}, ${by} says ${sha256}; do not use the model, get it again`,
    );
  }
  const [extra] = found.keys();
  if (extra === undefined) return;
  throw new RetrainError(
    'VERIFICATION_FAILED',
    `${dir}/${extra} is not covered by ${by}; somebody added it: do not use the model, or remove the file`,
  );
}
