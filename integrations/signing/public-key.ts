import { readFileSync } from 'node:fs';
import path from 'node:path';
import { RetrainError } from '../../contracts/errors';

/**
 * The public key that a setting gives: in PEM, or the name of a file with it.
 *
 * @param setting how messages call it
 * @throws RetrainError CONFIG_NOT_FOUND
 */
export function publicKeyOf(given: string | undefined, setting: string, base: string): string | null {
  if (given === undefined || given === '') return null;
  if (given.startsWith('-----BEGIN')) return given;
  try {
    return readFileSync(path.resolve(base, given), 'utf8');
  } catch (cause) {
    throw new RetrainError(
      'CONFIG_NOT_FOUND',
      `${setting} ${given}: ${(cause as Error).message}; name the public key’s PEM file`,
      { cause },
    );
  }
}
