import { existsSync } from 'node:fs';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { RetrainError, isErrorCode } from '../contracts/errors';
import { type Artifact, Metrics, StageError } from '../contracts/stage';
import { type ContentStore } from '../integrations/dvc/content-store';

/**
 * Lays out the folder of the stage contract: in/ with the inputs out of the store, an empty out/, params.json.
 *
 * @param dir what is there goes
 * @throws RetrainError ARTIFACT_MISSING, ARTIFACT_DAMAGED
 */
export async function layOutStage(
  store: ContentStore,
  dir: string,
  { inputs, params }: { inputs: Readonly<Record<string, Artifact>>; params: unknown },
): Promise<void> {
  await rm(dir, { recursive: true, force: true });
  await Promise.all([
    mkdir(path.join(dir, 'in'), { recursive: true }),
    mkdir(path.join(dir, 'out'), { recursive: true }),
  ]);
  await Promise.all([
    writeFile(path.join(dir, 'params.json'), JSON.stringify(params)),
    ...Object.entries(inputs).map(([name, artifact]) => store.take(artifact, path.join(dir, 'in', name))),
  ]);
}

/**
 * Moves what a stage left in out/ into the store.
 *
 * @throws RetrainError STAGE_FAILED without one of its outputs, or without its sign of success, out/metrics.json
 */
export async function collectStage(
  store: ContentStore,
  dir: string,
  { stage, outputs, mayLeave }: { stage: string; outputs: readonly string[]; mayLeave: readonly string[] },
): Promise<{ outputs: Artifact[]; metrics: Metrics }> {
  const metrics = await readMetrics(dir, stage);
  const left = mayLeave.filter((name) => existsSync(path.join(dir, 'out', name)));
  const stored = await Promise.all(
    [...outputs, ...left].map((name) => store.putOwned(path.join(dir, 'out', name), name)),
  );
  return { outputs: stored, metrics };
}

/** The error that a stage left behind in out/error.json, as it was thrown; null when there is none. */
export async function stageErrorIn(dir: string): Promise<RetrainError | null> {
  let text: string;
  try {
    text = await readFile(path.join(dir, 'out', 'error.json'), 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
  const { code, message } = StageError.parse(JSON.parse(text));
  return new RetrainError(isErrorCode(code) ? code : 'STAGE_FAILED', message);
}

async function readMetrics(dir: string, stage: string): Promise<Metrics> {
  let text: string;
  try {
    text = await readFile(path.join(dir, 'out', 'metrics.json'), 'utf8');
  } catch (cause) {
    throw new RetrainError(
      'STAGE_FAILED',
      `${stage} ended without writing out/metrics.json, its sign of success`,
      { cause },
    );
  }
  try {
    return Metrics.parse(JSON.parse(text));
  } catch (cause) {
    throw new RetrainError(
      'STAGE_FAILED',
      `${stage} wrote an out/metrics.json that is not a flat mapping of names to numbers: ${text.slice(0, 100).trim()}`,
      { cause },
    );
  }
}
