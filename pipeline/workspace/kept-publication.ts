import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { z } from 'zod';
import { Artifact, Metrics } from '../../contracts/stage';
import { type ContentStore } from '../../integrations/dvc/content-store';
import { readLockFile } from '../../integrations/dvc/lock-file';
import { writeAtomically } from '../../integrations/files/atomic-write';
import { digestBytes } from '../../ml/hashing/digest';
import { COMPUTE_STAGES } from '../stage';
import { type Publication } from './publish-run';
import { metricsBytes, workspaceStages } from './workspace-stages';

const KeptPublication = z.object({
  version: z.literal(1),
  stages: z.record(z.enum(COMPUTE_STAGES), z.object({ outputs: z.array(Artifact), metrics: Metrics })),
  metadata: Artifact,
});
type KeptPublication = z.infer<typeof KeptPublication>;

/**
 * Remembers beside the stored artifacts what a finished run shows of itself, at `<cache>/retrain/runs/<2>/<pipeline key>.json`, so that
 * a start which finds its result there can show it again.
 */
export async function keepPublication(
  store: ContentStore,
  pipelineKey: string,
  { stages, metadata }: Pick<Publication, 'stages' | 'metadata'>,
): Promise<void> {
  const kept: KeptPublication = { version: 1, stages: mutable(stages), metadata };
  await writeAtomically(fileOf(store, pipelineKey), `${JSON.stringify(kept)}\n`);
}

/** What `keepPublication` remembered of a run; null when nothing did, or it cannot be read. */
export async function keptPublication(
  store: ContentStore,
  pipelineKey: string,
): Promise<Pick<Publication, 'stages' | 'metadata'> | null> {
  try {
    return KeptPublication.parse(JSON.parse(await readFile(fileOf(store, pipelineKey), 'utf8')));
  } catch {
    return null;
  }
}

/**
 * Whether the workspace shows this run: its files are there, and dvc.lock records them. Reads dvc.lock only; a file that was edited
 * since is shown as modified by `dvc status`, and stays as it is.
 */
export async function isShown(
  project: string,
  { spec, stages }: Pick<Publication, 'spec' | 'stages'>,
): Promise<boolean> {
  const locked = await readLockFile(path.join(project, 'dvc.lock')).catch(() => ({}));
  return workspaceStages(spec.paramsPath, spec.params).every((stage) => {
    const outs = (locked as Awaited<ReturnType<typeof readLockFile>>)[stage.name]?.outs ?? [];
    const has = (at: string, md5: string): boolean =>
      outs.some((out) => out.path === at && out.md5 === md5) && existsSync(path.join(project, at));
    const { outputs, metrics } = stages[stage.stage];
    return (
      outputs.every(({ name, md5 }) => {
        const at = stage.outputs[name];
        return at === undefined || has(at, md5);
      }) && has(stage.metrics, digestBytes(metricsBytes(metrics)).md5)
    );
  });
}

function fileOf(store: ContentStore, pipelineKey: string): string {
  return path.join(store.cacheDir, 'retrain', 'runs', pipelineKey.slice(0, 2), `${pipelineKey}.json`);
}

function mutable(stages: Publication['stages']): KeptPublication['stages'] {
  return Object.fromEntries(
    COMPUTE_STAGES.map((stage) => [
      stage,
      { outputs: [...stages[stage].outputs], metrics: stages[stage].metrics },
    ]),
  ) as KeptPublication['stages'];
}
