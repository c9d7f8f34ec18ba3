import { Context } from '@temporalio/activity';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { RetrainError } from '../contracts/errors';
import { type Artifact, Metrics, type StageProgress, type StageResult } from '../contracts/stage';
import { type ContentStore } from '../integrations/dvc/content-store';
import { withHeartbeat } from './heartbeat';

/** Runs the code of a stage in a folder of the stage contract: in a thread, in a container. */
export interface StageExecutor {
  run(
    stage: string,
    dir: string,
    options: { signal: AbortSignal; onProgress: (progress: StageProgress) => void },
  ): Promise<{ durationMs: number }>;
}

export interface StageJob {
  stage: string;
  /** By the name that the stage knows them by. */
  inputs: Readonly<Record<string, Artifact>>;
  params: unknown;
  /** Names of the files that the stage must leave in out/. */
  outputs: readonly string[];
}

/**
 * Lays out in/ and params.json in a scratch folder, runs the stage, and moves out/ into the content store.
 *
 * Idempotent: the scratch folder is this attempt's own and goes away with it (what a killed worker leaves
 * is swept when the next one starts); the store names outputs by content, so doing it again changes nothing.
 */
export class StageRunner {
  constructor(
    private readonly store: ContentStore,
    private readonly executor: StageExecutor,
    private readonly scratchDir: string,
  ) {}

  async run(job: StageJob): Promise<StageResult & { byName: Record<string, Artifact> }> {
    const { workflowExecution, activityId, attempt } = Context.current().info;
    const dir = path.join(this.scratchDir, `${workflowExecution?.runId ?? 'local'}-${activityId}-${attempt}`);
    try {
      return await withHeartbeat(async (signal, onProgress) => {
        await this.layOut(dir, job);
        const { durationMs } = await this.executor.run(job.stage, dir, { signal, onProgress });
        const metrics = await readMetrics(dir, job.stage);
        onProgress({ phase: 'storing' });
        const stored = await Promise.all(
          job.outputs.map((name) => this.store.putOwned(path.join(dir, 'out', name), name)),
        );
        return {
          outputs: stored,
          byName: Object.fromEntries(stored.map((artifact) => [artifact.name, artifact])),
          metrics,
          durationMs,
        };
      });
    } finally {
      await rm(dir, { recursive: true, force: true });
    }
  }

  private async layOut(dir: string, { inputs, params }: StageJob): Promise<void> {
    await Promise.all([
      mkdir(path.join(dir, 'in'), { recursive: true }),
      mkdir(path.join(dir, 'out'), { recursive: true }),
    ]);
    await Promise.all([
      writeFile(path.join(dir, 'params.json'), JSON.stringify(params)),
      ...Object.entries(inputs).map(([name, artifact]) =>
        this.store.take(artifact, path.join(dir, 'in', name)),
      ),
    ]);
  }
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
  return Metrics.parse(JSON.parse(text));
}

/** The output of that name; a stage that said it was done has written it. */
export function output(result: { byName: Record<string, Artifact> }, name: string): Artifact {
  const artifact = result.byName[name];
  if (artifact === undefined) throw new RetrainError('STAGE_FAILED', `the stage left no out/${name}`);
  return artifact;
}
