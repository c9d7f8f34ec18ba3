import { Context } from '@temporalio/activity';
import { rm } from 'node:fs/promises';
import path from 'node:path';
import { type ContainerOptions } from '../contracts/container';
import { RetrainError } from '../contracts/errors';
import { type Artifact, type StageProgress, type StageResult } from '../contracts/stage';
import { type ContentStore } from '../integrations/dvc/content-store';
import { computeStageKey, type ComputeStage } from '../pipeline/stage';
import { type StageResults } from '../pipeline/results/stage-results';
import { collectStage, layOutStage } from '../pipeline/stage-folder';
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
  /** What runs: its params, code and outputs. */
  work: ComputeStage;
  /** By the name that the stage knows them by. */
  inputs: Readonly<Record<string, Artifact>>;
  /** Absent: in process. */
  container?: { options: ContainerOptions; digest: string };
  /** Where a container's log is kept. */
  mlflowRunId?: string | undefined;
  /** Run it even if its result is known. */
  afresh: boolean;
}

export interface StageOutcome extends StageResult {
  byName: Record<string, Artifact>;
  /** Nothing ran: an earlier run had the same inputs, params and code. */
  reused: boolean;
}

/**
 * Takes the known result of a stage with these inputs, params and code. Else lays out in/ and params.json in a scratch
 * folder, runs the stage, moves out/ into the content store, and remembers the result.
 *
 * Idempotent: the scratch folder is this attempt's own and goes away with it (what a killed worker leaves
 * is swept when the next one starts); the store names outputs by content, so doing it again changes nothing; the result is
 * remembered after its outputs are there. The folder of a container stage is the activity's, so that the next attempt finds
 * the container at work in it.
 */
export class StageRunner {
  constructor(
    private readonly store: ContentStore,
    private readonly results: StageResults,
    private readonly executor: StageExecutor,
    private readonly containers: ContainerStages,
    private readonly scratchDir: string,
  ) {}

  async run(job: StageJob): Promise<StageOutcome> {
    const { work, inputs } = job;
    if (!work.cacheable) return { ...(await this.execute(job)), reused: false };
    const identity = { work, inputs, key: computeStageKey(work, inputs) };
    const known = job.afresh ? null : await withHeartbeat((signal) => this.results.find(identity, signal));
    if (known !== null) return { ...known, byName: byName(known.outputs), reused: true };
    const result = await this.execute(job);
    await withHeartbeat((signal) => this.results.save(identity, result, signal));
    return { ...result, reused: false };
  }

  private async execute(job: StageJob): Promise<Omit<StageOutcome, 'reused'>> {
    const { workflowExecution, activityId, attempt } = Context.current().info;
    const { stage, params } = job.work;
    const folder = { inputs: job.inputs, params };
    const activity = `${workflowExecution?.runId ?? 'local'}-${activityId}`;
    const { container } = job;
    const dir = path.join(
      this.scratchDir,
      container === undefined ? `${activity}-${attempt}` : this.containers.folderName(activity),
    );
    let goesOn = false;
    try {
      return await withHeartbeat(async (signal, onProgress) => {
        if (container === undefined) await layOutStage(this.store, dir, folder);
        const { durationMs } =
          container === undefined
            ? await this.executor.run(stage, dir, { signal, onProgress })
            : await this.containers.run({
                ...{ stage, dir, ...container, mlflowRunId: job.mlflowRunId, signal, onProgress },
                prepare: () => layOutStage(this.store, dir, folder),
              });
        onProgress({ phase: 'storing' });
        const made = await collectStage(this.store, dir, job.work);
        return { ...made, byName: byName(made.outputs), durationMs };
      });
    } catch (error) {
      goesOn = this.containers.goesOn(error);
      throw error;
    } finally {
      if (!goesOn) await rm(dir, { recursive: true, force: true });
    }
  }
}

function byName(artifacts: readonly Artifact[]): Record<string, Artifact> {
  return Object.fromEntries(artifacts.map((artifact) => [artifact.name, artifact]));
}

/** The output of that name; a stage that said it was done has written it. */
export function output(result: { byName: Record<string, Artifact> }, name: string): Artifact {
  const artifact = result.byName[name];
  if (artifact === undefined) throw new RetrainError('STAGE_FAILED', `the stage left no out/${name}`);
  return artifact;
}
