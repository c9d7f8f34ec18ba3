import {
  WorkflowExecutionAlreadyStartedError,
  WorkflowIdConflictPolicy,
  WorkflowIdReusePolicy,
  type Client,
} from '@temporalio/client';
import { WORKFLOW, canonicalWorkflowId } from '../contracts/names';
import { type RunSpec, TrainingResult } from '../contracts/run';
import { PROJECT_MEMO } from './project-queue';

/** How a start ended: a fresh run, one that was going on, or the result that is there already. */
export type StartedRun =
  | { how: 'started' | 'attached'; workflowId: string; workflowRunId: string }
  | { how: 'finished'; result: TrainingResult };

/** Memo key: the id of the start that made the run. The server does not tell a client which of two it was. */
const STARTER = 'starter';

export interface StartRunDeps {
  client: Client;
  taskQueue: string;
  /** Who starts, the same for every try of one start: tells a run that we started from one that we joined. */
  starterId: string;
  /** The result of a finished run of this key in MLflow, which outlives Temporal's retention; null if there is none. */
  findFinished(spec: RunSpec): Promise<TrainingResult | null>;
  /** Kept with a run that this start makes, such as why it was started. */
  memo?: Record<string, unknown>;
}

/**
 * Starts the one training of a pipeline key, or joins it.
 *
 * Running: attaches. Finished: its result, from MLflow, or from Temporal while it keeps the run. Failed,
 * cancelled, terminated: starts again. With a `forceId`: starts a fresh run, unless one of the key is going on.
 * Safe to repeat: the workflow id is the key's, and what starts twice finds itself in MLflow.
 */
export async function startOrAttach(spec: RunSpec, deps: StartRunDeps): Promise<StartedRun> {
  if (spec.forceId !== undefined) return start(spec, deps, WorkflowIdReusePolicy.ALLOW_DUPLICATE);
  const known = await deps.findFinished(spec);
  if (known !== null) return { how: 'finished', result: known };
  try {
    return await start(spec, deps, WorkflowIdReusePolicy.ALLOW_DUPLICATE_FAILED_ONLY);
  } catch (error) {
    if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
  }
  // Completed in Temporal. In MLflow, too, if it completed since we looked; else its MLflow run was
  // deleted since, or the server is another one: then there is no model, and it must be trained again.
  const result = await deps.findFinished(spec);
  if (result !== null) return { how: 'finished', result };
  return start(spec, deps, WorkflowIdReusePolicy.ALLOW_DUPLICATE);
}

async function start(
  spec: RunSpec,
  { client, taskQueue, starterId, memo: more }: StartRunDeps,
  reuse: WorkflowIdReusePolicy,
): Promise<StartedRun> {
  const workflowId = canonicalWorkflowId(spec.params.model, spec.pipelineKey);
  const { params, data } = spec;
  const handle = await client.workflow.start(WORKFLOW.trainingPipeline, {
    taskQueue,
    workflowId,
    args: [{ spec }],
    workflowIdConflictPolicy: WorkflowIdConflictPolicy.USE_EXISTING,
    workflowIdReusePolicy: reuse,
    memo: {
      ...more,
      [STARTER]: starterId,
      ...(spec.project === undefined ? {} : { [PROJECT_MEMO]: spec.project }),
    },
    staticSummary: `${params.model}: ${params.train.algorithm} on ${data.path}`,
    staticDetails: [
      `Pipeline key \`${spec.pipelineKey}\``,
      `Data \`${data.sha256}\` (${data.sizeBytes} bytes)`,
      `Params \`${spec.paramsHash}\` from ${spec.paramsPath}`,
      `Code \`${spec.codeHash}\`${spec.git.commit === '' ? '' : `, commit \`${spec.git.commit.slice(0, 12)}\`${spec.git.dirty ? ' with local changes' : ''}`}`,
    ].join('\n\n'),
  });
  const workflowRunId = handle.firstExecutionRunId;
  const { memo } = await client.workflow.getHandle(workflowId, workflowRunId).describe();
  return { how: memo?.[STARTER] === starterId ? 'started' : 'attached', workflowId, workflowRunId };
}

/** Waits for a run. @throws WorkflowFailedError when it failed, was cancelled or terminated. */
export async function awaitResult(
  client: Client,
  workflowId: string,
  workflowRunId: string,
): Promise<TrainingResult> {
  const result: unknown = await client.workflow.getHandle(workflowId, workflowRunId).result();
  return TrainingResult.parse(result);
}
