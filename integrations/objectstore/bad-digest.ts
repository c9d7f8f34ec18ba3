import { RetrainError } from '../../contracts/errors';
import type { Upload } from '../files/object-storage';

/** What is to be stored under a name that its bytes do not have. */
export function badDigest(key: string, storage: string, upload: Upload, found: string): RetrainError {
  return new RetrainError(
    'ARTIFACT_DAMAGED',
    `${upload.path} has MD5 ${found} instead of ${upload.md5}; it was not stored as ${key} on ${storage}`,
  );
}
