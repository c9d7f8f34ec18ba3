import { type Client, isGrpcServiceError, ServiceError, WorkflowNotFoundError } from '@temporalio/client';
import { RUN_TAG } from '../contracts/names';
import { type Mlflow } from '../integrations/mlflow/client';
import { type MlflowRun } from '../integrations/mlflow/run-record';
import { namespaceId } from './namespace-id';

/** An MLflow run that was open although its workflow had ended. */
export interface ClosedRun {
  mlflowRunId: string;
  workflowId: string;
  status: 'FAILED' | 'KILLED';
  /** What became of the workflow, as the run's failure reason says it. */
  reason: string;
}

/**
 * Closes MLflow runs that say RUNNING although their workflow is over: it was terminated, timed out, or could not reach MLflow in
 * the end. A run of another Temporal server is nobody's business here: one that this server does not know is closed only if it was
 * opened by a worker of this very namespace, whose retention is over by then.
 *
 * Safe to repeat and to race with a run that ends: its workflow ends after it has closed its MLflow run, so a run that is open after
 * its workflow was seen ended stays open.
 */
export async function closeEndedRuns(
  client: Client,
  mlflow: Pick<Mlflow, 'experiments' | 'runs'>,
  signal?: AbortSignal,
): Promise<ClosedRun[]> {
  const open = await mlflow.runs.listOpen(await mlflow.experiments.listIds(signal), signal);
  if (open.length === 0) return [];
  const scope = await namespaceId(client);
  const closed: ClosedRun[] = [];
  for (const run of open) {
    signal?.throwIfAborted();
    const end = await endOf(client, run, scope);
    if (end === null || (await mlflow.runs.get(run.runId, signal)).status !== 'RUNNING') continue;
    const tags = { [RUN_TAG.failureReason]: end.reason };
    await mlflow.runs.finish(run.runId, end.status, { tags, signal });
    closed.push({ mlflowRunId: run.runId, workflowId: run.tags[RUN_TAG.workflowId] ?? '', ...end });
  }
  return closed;
}

/** How the workflow of a run ended; null: it goes on, or nothing is known of it. */
async function endOf(
  client: Client,
  { tags }: MlflowRun,
  scope: string,
): Promise<Pick<ClosedRun, 'status' | 'reason'> | null> {
  const workflowId = tags[RUN_TAG.workflowId];
  const workflowRunId = tags[RUN_TAG.workflowRunId];
  if (workflowId === undefined || workflowRunId === undefined) return null;
  const own = await statusOf(client, workflowId, workflowRunId);
  if (own === 'RUNNING') return null;
  if (own === null) {
    if (tags[RUN_TAG.temporalNamespaceId] !== scope) return null;
    return {
      status: 'KILLED',
      reason: `its workflow run ${workflowRunId} is over, and forgotten by Temporal`,
    };
  }
  // After a reset, another run of the workflow goes on with the same MLflow run.
  if ((await statusOf(client, workflowId)) === 'RUNNING') return null;
  const failed = own === 'FAILED' || own === 'TIMED_OUT';
  return {
    status: failed ? 'FAILED' : 'KILLED',
    reason: `its workflow run ended (${own.toLowerCase().replace('_', ' ')}) without closing it`,
  };
}

/** Null: the server does not know it, or no longer. */
async function statusOf(client: Client, workflowId: string, runId?: string): Promise<string | null> {
  try {
    return (await client.workflow.getHandle(workflowId, runId).describe()).status.name;
  } catch (error) {
    if (error instanceof WorkflowNotFoundError || isImpossible(error)) return null;
    throw error;
  }
}

/** gRPC's INVALID_ARGUMENT. */
const INVALID_ARGUMENT = 3;

/** Whether the server says that there can be no such workflow: tags are anybody's to write, and one run's must not keep the others open. */
function isImpossible(error: unknown): boolean {
  const cause = error instanceof ServiceError ? error.cause : error;
  return isGrpcServiceError(cause) && Number(cause.code) === INVALID_ARGUMENT;
}
