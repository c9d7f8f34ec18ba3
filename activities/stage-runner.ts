import { existsSync } from 'node:fs';
import { Context } from '@temporalio/activity';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { type ContainerOptions } from '../contracts/container';
import { RetrainError } from '../contracts/errors';
import { type Artifact, Metrics, type StageProgress, type StageResult } from '../contracts/stage';
import { type ContentStore } from '../integrations/dvc/content-store';
import { type ContainerStages } from './container-stages';
import { withHeartbeat } from './heartbeat';

/** Runs the code of a stage in a folder of the stage contract, in a thread of the worker. */
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
  /** Files that are taken when they are there: a stage in another language need not know them. */
  mayLeave?: readonly string[];
  /** Absent: in process. */
  container?: { options: ContainerOptions; digest: string };
  /** Where a container's log is kept. */
  mlflowRunId?: string | undefined;
}

/**
 * Lays out in/ and params.json in a scratch folder, runs the stage, and moves out/ into the content store.
 *
 * Idempotent: the scratch folder is this attempt's own and goes away with it (what a killed worker leaves
 * is swept when the next one starts); the store names outputs by content, so doing it again changes nothing. The
 * folder of a container stage is the activity's, so that the next attempt finds the container at work in it.
 */
export class StageRunner {
  constructor(
    private readonly store: ContentStore,
    private readonly executor: StageExecutor,
    private readonly containers: ContainerStages,
    private readonly scratchDir: string,
  ) {}

  async run(job: StageJob): Promise<StageResult & { byName: Record<string, Artifact> }> {
    const { workflowExecution, activityId, attempt } = Context.current().info;
    const activity = `${workflowExecution?.runId ?? 'local'}-${activityId}`;
    const { container } = job;
    const dir = path.join(
      this.scratchDir,
      container === undefined ? `${activity}-${attempt}` : this.containers.folderName(activity),
    );
    let goesOn = false;
    try {
      return await withHeartbeat(async (signal, onProgress) => {
        if (container === undefined) await this.layOut(dir, job);
        const { durationMs } =
          container === undefined
            ? await this.executor.run(job.stage, dir, { signal, onProgress })
            : await this.containers.run({
                ...{ stage: job.stage, dir, ...container, mlflowRunId: job.mlflowRunId, signal, onProgress },
                prepare: () => this.layOut(dir, job),
              });
        return await this.collect(dir, job, durationMs, onProgress);
      });
    } catch (error) {
      goesOn = this.containers.goesOn(error);
      throw error;
    } finally {
      if (!goesOn) await rm(dir, { recursive: true, force: true });
    }
  }

  private async layOut(dir: string, { inputs, params }: StageJob): Promise<void> {
    await rm(dir, { recursive: true, force: true });
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

  private async collect(
    dir: string,
    { stage, outputs, mayLeave = [] }: StageJob,
    durationMs: number,
    onProgress: (progress: StageProgress) => void,
  ): Promise<StageResult & { byName: Record<string, Artifact> }> {
    const metrics = await readMetrics(dir, stage);
    onProgress({ phase: 'storing' });
    const left = mayLeave.filter((name) => existsSync(path.join(dir, 'out', name)));
    const stored = await Promise.all(
      [...outputs, ...left].map((name) => this.store.putOwned(path.join(dir, 'out', name), name)),
    );
    return {
      outputs: stored,
      byName: Object.fromEntries(stored.map((artifact) => [artifact.name, artifact])),
      metrics,
      durationMs,
    };
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

/** The output of that name; a stage that said it was done has written it. */
export function output(result: { byName: Record<string, Artifact> }, name: string): Artifact {
  const artifact = result.byName[name];
  if (artifact === undefined) throw new RetrainError('STAGE_FAILED', `the stage left no out/${name}`);
  return artifact;
}
