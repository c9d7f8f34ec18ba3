import { rm } from 'node:fs/promises';
import { RetrainError } from '../contracts/errors';
import { VERSION_TAG } from '../contracts/names';
import { ARTIFACT, type Artifact } from '../contracts/stage';
import { type ContentStore } from '../integrations/dvc/content-store';
import { type Mlflow } from '../integrations/mlflow/client';
import { type ModelVersion } from '../integrations/mlflow/registry-record';

/** Some 75 million training rows; more are not held in memory. */
const MOST_BYTES = 512 * 2 ** 20;

/**
 * The names of a version's training rows, out of its run, under the hash that the version is tagged with. Null for an older
 * version or another program's, and when the file is gone, too large or another one: the version is then compared without.
 *
 * @throws RetrainError when MLflow does not answer
 */
export async function championSeenRows(
  mlflow: Mlflow,
  store: ContentStore,
  { runId, tags }: ModelVersion,
  signal: AbortSignal,
): Promise<Artifact | null> {
  const sha256 = tags[VERSION_TAG.seenRows];
  if (sha256 === undefined || runId === '') return null;
  const file = await store.objects.staging.newPath();
  try {
    const { artifactUri } = await mlflow.runs.get(runId, signal);
    const entries = await mlflow.artifacts.list(artifactUri, '', signal);
    const found = entries.find(({ path }) => path === ARTIFACT.seenRows);
    if (found === undefined || found.sizeBytes > MOST_BYTES) return null;
    await mlflow.artifacts.downloadFile(artifactUri, ARTIFACT.seenRows, file, signal);
    const stored = await store.putOwned(file, ARTIFACT.championSeenRows, { signal });
    return stored.sha256 === sha256 ? stored : null;
  } catch (error) {
    if (error instanceof RetrainError && error.code === 'NOT_FOUND') return null;
    throw error;
  } finally {
    await rm(file, { force: true });
  }
}
