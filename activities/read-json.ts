import { readFile } from 'node:fs/promises';
import { RetrainError } from '../contracts/errors';
import { type Artifact } from '../contracts/stage';
import { type ContentStore } from '../integrations/dvc/content-store';

/** The content of a JSON artifact. @throws RetrainError ARTIFACT_MISSING */
export async function readJson(store: ContentStore, artifact: Artifact): Promise<unknown> {
  return JSON.parse((await readBytes(store, artifact)).toString('utf8'));
}

/** The bytes of a small artifact. @throws RetrainError ARTIFACT_MISSING */
export async function readBytes(store: ContentStore, artifact: Artifact): Promise<Buffer> {
  try {
    return await readFile(store.pathOf(artifact.md5));
  } catch (cause) {
    throw new RetrainError(
      'ARTIFACT_MISSING',
      `${artifact.name} (${artifact.md5}) is not in this worker's store; let all workers share one store, or start again with --force`,
      { cause },
    );
  }
}
