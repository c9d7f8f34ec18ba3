import { Context } from '@temporalio/activity';
import path from 'node:path';
import { type ContainerOptions } from '../contracts/container';
import { type StageProgress } from '../contracts/stage';
import { type StageExecution } from '../pipeline/run-stage';
import { type ContainerStages } from './container-stages';

/** Runs the code of a stage in a folder of the stage contract, in a thread of the worker. */
export interface StageExecutor {
  run(
    stage: string,
    dir: string,
    options: { signal: AbortSignal; onProgress: (progress: StageProgress) => void },
  ): Promise<{ durationMs: number }>;
}

/** A stage's container, and the variables that it is given beside those of its options. */
export interface ContainerOfStage {
  options: ContainerOptions;
  digest: string;
  variables?: Readonly<Record<string, string>>;
}

/**
 * Where the stages of this worker run: in a thread, or in a container.
 *
 * The folder of a thread is this attempt's own; what a killed worker leaves is swept when the next one starts. The folder of a
 * container is the activity's, so that the next attempt finds the container at work in it.
 */
export class StageExecutions {
  constructor(
    private readonly executor: StageExecutor,
    private readonly containers: ContainerStages,
    /** Folders of folders: of this worker's stages, and of containers, which the next worker may have to find. */
    private readonly scratch: { own: string; shared: string },
  ) {}

  /**
   * Of the current activity.
   *
   * @param container null: in a thread
   * @param mlflowRunId where a container's log is kept
   */
  of(stage: string, container: ContainerOfStage | null, mlflowRunId: string | undefined): StageExecution {
    const { workflowExecution, activityId, attempt } = Context.current().info;
    const activity = `${workflowExecution?.runId ?? 'local'}-${activityId}`;
    if (container === null)
      return this.inThread(stage, path.join(this.scratch.own, `${activity}-${attempt}`));
    const dir = path.join(this.scratch.shared, this.containers.folderName(activity));
    return {
      dir,
      run: async (prepare, watch) =>
        (await this.containers.run({ stage, dir, ...container, mlflowRunId, prepare, ...watch })).durationMs,
      goesOn: (error) => this.containers.goesOn(error),
    };
  }

  private inThread(stage: string, dir: string): StageExecution {
    return {
      dir,
      run: async (prepare, watch) => {
        await prepare();
        return (await this.executor.run(stage, dir, watch)).durationMs;
      },
    };
  }
}
