import { RUN_TAG } from '../../contracts/names';
import type { TrainingResult } from '../../contracts/run';
import { resultFromTags } from './result-tag';
import type { MlflowRun } from './run-record';

/** Whose run it is. */
export interface RunOwner {
  pipelineKey: string;
  /** Names a forced run across its retries; absent for the run that everybody shares. */
  forceId?: string | undefined;
  workflowId: string;
  workflowRunId: string;
}

/** The identity as tags; they travel in the very request that creates the run. */
export function ownerTags(identity: RunOwner): Record<string, string> {
  return {
    [RUN_TAG.pipelineKey]: identity.pipelineKey,
    [RUN_TAG.workflowId]: identity.workflowId,
    [RUN_TAG.workflowRunId]: identity.workflowRunId,
    ...(identity.forceId === undefined ? {} : { [RUN_TAG.forceId]: identity.forceId }),
  };
}

/** What the runs of one pipeline key mean to one workflow run. */
export interface Standing {
  /** Finished, readable, and just as good as a new one. The newest. */
  finished: { run: MlflowRun; result: TrainingResult } | null;
  /** My own, still running; the first is kept, the others are twins that a lost answer left behind. */
  mine: MlflowRun[];
  /**
   * Running, of the same workflow id but an earlier workflow run. Temporal lets one run of an id be open at a time, so
   * theirs is over: they were terminated or timed out with no chance to say so.
   */
  orphans: MlflowRun[];
}

/** @param runs all active runs of the key, oldest first */
export function standing(runs: readonly MlflowRun[], identity: RunOwner): Standing {
  const running = runs.filter((run) => run.status === 'RUNNING' || run.status === 'SCHEDULED');
  const isMine = (run: MlflowRun): boolean => run.tags[RUN_TAG.workflowRunId] === identity.workflowRunId;
  return {
    finished: newestFinished(runs, identity.forceId),
    mine: running.filter(isMine),
    orphans: running.filter((run) => !isMine(run) && run.tags[RUN_TAG.workflowId] === identity.workflowId),
  };
}

/** The newest finished run with a result; with a force id only that one’s. */
export function newestFinished(
  runs: readonly MlflowRun[],
  forceId: string | undefined,
): { run: MlflowRun; result: TrainingResult } | null {
  for (const run of runs.toReversed()) {
    if (run.status !== 'FINISHED') continue;
    if (forceId !== undefined && run.tags[RUN_TAG.forceId] !== forceId) continue;
    const result = resultFromTags(run.tags);
    if (result !== null) return { run, result };
  }
  return null;
}
