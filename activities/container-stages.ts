import { Context } from '@temporalio/activity';
import { type ContainerOptions } from '../contracts/container';
import { RetrainError } from '../contracts/errors';
import { type StageProgress } from '../contracts/stage';
import {
  type ContainerResult,
  type ContainerRun,
  StageDetached,
} from '../integrations/docker/container-executor';

export interface ContainerStagesDeps {
  /** The part of `ContainerExecutor` that is needed. */
  executor: { run(run: ContainerRun): Promise<ContainerResult> };
  /** Keeps a container's log with the MLflow run, as `path`. */
  keepLog(mlflowRunId: string, path: string, file: string): Promise<void>;
}

export interface ContainerJob {
  stage: string;
  dir: string;
  options: ContainerOptions;
  digest: string;
  variables?: Readonly<Record<string, string>>;
  mlflowRunId?: string | undefined;
  prepare(): Promise<void>;
  signal: AbortSignal;
  onProgress(progress: StageProgress): void;
}

/** Folders of containers, which may go on while no worker runs, are told from others by this. */
const FOLDER = 'container-';

/**
 * Runs a stage in a container on behalf of the current activity: its log lines go to the activity's log, the whole log to the
 * MLflow run, whatever the outcome.
 *
 * Idempotent: see `ContainerExecutor`. Only a cancellation of the activity stops a container: a worker that shuts down,
 * or whose heartbeats came too late, leaves it to the next attempt.
 */
export class ContainerStages {
  constructor(private readonly deps: ContainerStagesDeps) {}

  /** Name of the scratch folder of an activity, the same for each of its attempts. */
  folderName(activity: string): string {
    return `${FOLDER}${activity}`;
  }

  /** Whether the folder must stay, as the container may be at work in it still. */
  goesOn(error: unknown): boolean {
    return (
      error instanceof StageDetached || (error instanceof RetrainError && error.code === 'DOCKER_UNREACHABLE')
    );
  }

  async run(job: ContainerJob): Promise<{ durationMs: number }> {
    const context = Context.current();
    const { workflowExecution, activityId, attempt } = context.info;
    let goesOn = false;
    try {
      return await this.deps.executor.run({
        ...job,
        owner: {
          workflowId: workflowExecution?.workflowId ?? 'local',
          workflowRunId: workflowExecution?.runId ?? 'local',
          activityId,
          attempt,
        },
        isCancelled: () => context.cancellationDetails?.cancelRequested === true,
        onProgress: (progress) => job.onProgress(progress),
        onLog: (line) => {
          context.log.info('stage output', { stage: job.stage, line });
        },
      });
    } catch (error) {
      goesOn = this.goesOn(error);
      throw error;
    } finally {
      if (!goesOn) await this.keepLog(job, attempt);
    }
  }

  /** A log that cannot be kept fails no stage: its lines are in the worker's log, too. */
  private async keepLog({ stage, dir, mlflowRunId }: ContainerJob, attempt: number): Promise<void> {
    if (mlflowRunId === undefined) return;
    const name = attempt === 1 ? `${stage}.log` : `${stage}-attempt-${attempt}.log`;
    try {
      await this.deps.keepLog(mlflowRunId, `logs/${name}`, `${dir}/stage.log`);
    } catch (error) {
      Context.current().log.warn('stage log not kept', { stage, reason: String(error) });
    }
  }
}
