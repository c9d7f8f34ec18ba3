import { stat } from 'node:fs/promises';
import path from 'node:path';
import { RetrainError } from '../../contracts/errors';
import { digestFile, type FileDigest } from '../../ml/hashing/digest-file';

/** Hashing less than this takes no longer than asking the state database. */
const REMEMBERED_FROM_BYTES = 8 << 20;

/**
 * Hashes of the data: of a file, or of a directory (of its manifest, as DVC does). What did not change since it was
 * last hashed, by size, mtime and inode, is not read again, unless it is small.
 *
 * @param project Its `.dvc/tmp` remembers; nothing else is written.
 * @throws RetrainError DATA_NOT_FOUND, DATA_INVALID, DATA_CHANGED
 */
export async function digestData(project: string, file: string, signal?: AbortSignal): Promise<FileDigest> {
  const found = await stat(file).catch(() => undefined);
  if (found === undefined)
    throw new RetrainError('DATA_NOT_FOUND', `${file}: there is no such file; correct data.path`);
  const options = signal === undefined ? {} : { signal };
  if (!found.isDirectory() && found.size < REMEMBERED_FROM_BYTES) return digestFile(file, options);
  // SQLite is loaded only here: a start with small data must not pay for it.
  const [{ StateDb }, { digestTree, isSettled }] = await Promise.all([
    import('../../integrations/dvc/state-db.js'),
    import('../../integrations/dvc/tree-digest.js'),
  ]);
  const state = StateDb.open(path.join(project, '.dvc', 'tmp', 'retrain', 'state.db'));
  try {
    if (found.isDirectory()) return await digestTree(file, { state, ...options });
    const stamp = { sizeBytes: found.size, mtimeMs: found.mtimeMs, ino: found.ino };
    const known = state.file(file, stamp);
    if (known !== undefined) return known;
    const readAt = Date.now();
    const digest = await digestFile(file, options);
    if (isSettled(stamp, readAt)) state.saveFiles([{ path: file, stamp, digest }]);
    return digest;
  } finally {
    state.close();
  }
}
