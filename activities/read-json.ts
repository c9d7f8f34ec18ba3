import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
import { MOST_JSON_BYTES, parseBounded } from '../contracts/bounded-json';
import { RetrainError } from '../contracts/errors';
import { type Artifact } from '../contracts/stage';
import { type ContentStore } from '../integrations/dvc/content-store';

/**
 * The content of a JSON artifact, which a stage may have made: 8 MiB at most, which the parser has done with before a heartbeat is late.
 *
 * @throws RetrainError ARTIFACT_MISSING, STAGE_UNSAFE, STAGE_FAILED for what is no JSON
 */
export async function readJson(store: ContentStore, artifact: Artifact): Promise<unknown> {
  const text = await readText(store, artifact);
  try {
    return parseBounded(text, artifact.name);
  } catch (cause) {
    if (cause instanceof RetrainError) throw cause;
    throw new RetrainError(
      'STAGE_FAILED',
      `${artifact.name} is no JSON, which the stage that left it must write`,
      {
        cause,
      },
    );
  }
}

async function readText(store: ContentStore, artifact: Artifact): Promise<string> {
  let file;
  try {
    file = await open(store.pathOf(artifact.md5), constants.O_RDONLY | constants.O_NONBLOCK);
  } catch (cause) {
    throw missing(artifact, cause);
  }
  try {
    const { size } = await file.stat();
    if (size <= MOST_JSON_BYTES) return await file.readFile('utf8');
    throw new RetrainError(
      'STAGE_UNSAFE',
      `${artifact.name} has ${size} bytes, expected at most ${MOST_JSON_BYTES}; it is not read`,
    );
  } finally {
    await file.close();
  }
}

/** Path of an artifact in the store. @throws RetrainError ARTIFACT_MISSING */
export async function storedFile(store: ContentStore, artifact: Artifact): Promise<string> {
  if (await store.has(artifact)) return store.pathOf(artifact.md5);
  throw missing(artifact);
}

function missing({ name, md5 }: Artifact, cause?: unknown): RetrainError {
  return new RetrainError(
    'ARTIFACT_MISSING',
    `${name} (${md5}) is not in this worker's store; let all workers share one store, or start again with --force`,
    { cause },
  );
}
