import { RetrainError } from '../contracts/errors';
import { type Artifact } from '../contracts/stage';
import { type ContentStore } from '../integrations/dvc/content-store';
import { relabelled } from './run/relabelled';

/** A file or folder of the project that a stage takes, by the hash that it is known by. */
export interface ProjectInput {
  artifact: Artifact;
  /** Absolute. */
  file: string;
  /** How messages name it: as params.yaml or dvc.yaml does. */
  shown: string;
}

/**
 * Puts inputs of the project into the store, under the hashes that they are known by. What the store has is not read again, and
 * counts even when the project's file is another by now.
 *
 * @throws RetrainError DATA_CHANGED when the file is another and the store does not have the wanted one; DATA_NOT_FOUND
 */
export async function bringInputs(
  store: ContentStore,
  inputs: readonly ProjectInput[],
  signal: AbortSignal,
): Promise<void> {
  for (const { artifact, file, shown } of inputs) {
    if (await isWhole(store, artifact, signal)) continue;
    await store
      .put(file, artifact.name, { signal, expect: { sha256: artifact.sha256 } })
      .catch((error: unknown) => {
        throw relabelled(error, file, shown);
      });
  }
}

/** Hashed, as a stage must not run on a damaged input; a damaged object is set aside and put in again. */
async function isWhole(store: ContentStore, artifact: Artifact, signal: AbortSignal): Promise<boolean> {
  if (!(await store.has(artifact))) return false;
  try {
    await store.verify(artifact, signal);
    return true;
  } catch (error) {
    if (error instanceof RetrainError && error.code.startsWith('ARTIFACT_')) return false;
    throw error;
  }
}
