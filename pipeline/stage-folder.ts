import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { parseBounded } from '../contracts/bounded-json';
import { RetrainError } from '../contracts/errors';
import { type Artifact, Metrics } from '../contracts/stage';
import { type ContentStore } from '../integrations/dvc/content-store';
import { readBounded } from '../integrations/files/read-bounded';
import { writingTo } from '../integrations/files/storage-trouble';
import { removeTree } from '../integrations/files/remove-tree';
import { type ComputeStage } from './compute-stage';
import { requireSafeOutput } from './output-limits';

/** Numbers by name; a stage that measures more keeps them in an output. */
const MOST_METRICS_BYTES = 1 << 20;

/**
 * Lays out the folder of the stage contract: in/ with the inputs out of the store, an empty out/, params.json.
 *
 * @param dir what is there goes
 * @throws RetrainError ARTIFACT_MISSING, ARTIFACT_DAMAGED, DISK_FULL, STORAGE_REFUSED
 */
export async function layOutStage(
  store: ContentStore,
  dir: string,
  { inputs, params }: { inputs: Readonly<Record<string, Artifact>>; params: unknown },
): Promise<void> {
  await writingTo({ folder: dir }, async () => {
    await removeTree(dir);
    await Promise.all([
      mkdir(path.join(dir, 'in'), { recursive: true }),
      mkdir(path.join(dir, 'out'), { recursive: true }),
    ]);
    await Promise.all([
      writeFile(path.join(dir, 'params.json'), JSON.stringify(params)),
      ...Object.entries(inputs).map(([name, artifact]) => store.take(artifact, path.join(dir, 'in', name))),
    ]);
  });
}

/**
 * Moves what a stage left in out/ into the store.
 *
 * @throws RetrainError STAGE_FAILED without one of its outputs, or without its sign of success, out/metrics.json; STAGE_UNSAFE
 */
export async function collectStage(
  store: ContentStore,
  dir: string,
  { stage, makes, mayLeave }: Pick<ComputeStage, 'stage' | 'makes' | 'mayLeave'>,
): Promise<{ outputs: Artifact[]; metrics: Metrics }> {
  const metrics = await readMetrics(dir, stage);
  const safe = (name: string): Promise<boolean> =>
    requireSafeOutput(path.join(dir, 'out', name), stage, name);
  await Promise.all(makes.map(safe));
  const there = await Promise.all(mayLeave.map(safe));
  const left = mayLeave.filter((_, i) => there[i]);
  const outputs = await Promise.all(
    [...makes, ...left].map((name) => store.putOwned(path.join(dir, 'out', name), name)),
  );
  return { outputs, metrics };
}

async function readMetrics(dir: string, stage: string): Promise<Metrics> {
  const shown = `${stage}: out/metrics.json`;
  const text = await readBounded(path.join(dir, 'out', 'metrics.json'), shown, MOST_METRICS_BYTES);
  if (text === null) {
    throw new RetrainError(
      'STAGE_FAILED',
      `${stage} ended without writing out/metrics.json, its sign of success`,
    );
  }
  try {
    return Metrics.parse(parseBounded(text, shown));
  } catch (cause) {
    if (cause instanceof RetrainError) throw cause;
    throw new RetrainError(
      'STAGE_FAILED',
      `${stage} wrote an out/metrics.json that is not a flat mapping of names to numbers: ${text.slice(0, 100).trim()}`,
      { cause },
    );
  }
}
