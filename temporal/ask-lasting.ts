import { randomUUID } from 'node:crypto';
import {
  type Client,
  ServiceError,
  WithStartWorkflowOperation,
  WorkflowIdConflictPolicy,
  WorkflowUpdateFailedError,
  WorkflowUpdateRPCTimeoutOrCancelledError,
} from '@temporalio/client';
import { ActivityFailure, ApplicationFailure } from '@temporalio/common';
import { isErrorCode, RetrainError } from '../contracts/errors';
import { STEWARD_BUSY } from '../contracts/names';
import { type ProjectIdentity } from '../contracts/project-identity';
import { manyListeners } from '../integrations/files/many-listeners';
import { type Lasting, refuseWithoutWorker } from './lasting-worker';
import { PROJECT_MEMO } from './project-queue';

/** An ask of a workflow that runs for as long as its model is used. */
export interface LastingAsk extends Lasting {
  client: Client;
  taskQueue: string;
  /** Whose it is when this ask starts it; absent: nobody's that is known. */
  project?: ProjectIdentity;
  /** What it is started with if it does not run. */
  start: { workflowType: string; args: unknown[]; staticSummary: string; staticDetails: string };
  /** Name of the update. */
  update: string;
  args: unknown;
  /** The same for every try of one ask; made up when absent. */
  id?: string;
  signal?: AbortSignal;
}

/** How long its workflow tasks may fail before that is an error, in ms: a worker that is starved of its processor fails some, and goes on. */
const FAILING_MS = 60_000;

/** Waits before an ask is repeated that a steward could not take, in ms: the first, and the longest. */
const AGAIN_MS = { first: 200, longest: 3000 };

/**
 * Asks a lasting workflow, and starts it if it does not run. Repeats the ask while it has a long line or continues as new, and when the
 * answer does not come within the server's own time limit: by its id it is one ask.
 *
 * @throws RetrainError the workflow's refusal; NO_WORKER when no worker polls its task queue; RUN_FAILED when its workflow tasks fail
 * for a minute
 */
export async function askLasting<T>({
  client,
  taskQueue,
  project,
  start: { workflowType, ...start },
  update,
  args,
  id = randomUUID(),
  signal,
  ...lasting
}: LastingAsk): Promise<T> {
  let renewed = 0;
  let failingSince: number | undefined;
  for (let time = 0; ; time++) {
    signal?.throwIfAborted();
    const startWorkflowOperation = new WithStartWorkflowOperation(workflowType, {
      ...start,
      workflowId: lasting.workflowId,
      taskQueue,
      ...(project === undefined ? {} : { memo: { [PROJECT_MEMO]: project } }),
      workflowIdConflictPolicy: WorkflowIdConflictPolicy.USE_EXISTING,
    });
    try {
      const options = { startWorkflowOperation, args: [args], updateId: `${id}-${renewed}` };
      const ask = (): Promise<unknown> => client.workflow.executeUpdateWithStart(update, options);
      return (await unlessNobodyPolls(client, lasting, taskQueue, signal, ask)) as T;
    } catch (thrown) {
      // An update with start lets the errors of gRPC through as they are.
      const error =
        grpcCode(thrown) === undefined
          ? thrown
          : new ServiceError(String(thrown), { cause: thrown as Error });
      if (isFailing(error)) {
        // Refused at the door: nothing became of it.
        failingSince ??= Date.now();
        if (Date.now() - failingSince > FAILING_MS) throw failing(lasting, error);
      } else {
        failingSince = undefined;
        if (!mayRepeat(error)) throw refusal(error);
        // An ask whose answer is late goes on under its id, or a rollback would be done twice. One that failed gets a new id: the old one
        // would only get the same failure again.
        if (!(error instanceof WorkflowUpdateRPCTimeoutOrCancelledError)) renewed++;
      }
    }
    const wait = Math.min(AGAIN_MS.first * 2 ** time, AGAIN_MS.longest);
    // Apart from each other, or they would come back together.
    await new Promise((resolve) => setTimeout(resolve, wait * (0.5 + Math.random() / 2)));
  }
}

/** Asks, while it is looked whether there is anybody who could answer. */
async function unlessNobodyPolls<T>(
  client: Client,
  lasting: Lasting,
  taskQueue: string,
  signal: AbortSignal | undefined,
  ask: () => Promise<T>,
): Promise<T> {
  const end = new AbortController();
  // Temporal's client adds a listener with each poll for the answer, and takes none away; they go with the signal, which is this ask's own.
  const either = manyListeners(
    signal === undefined ? end.signal : AbortSignal.any([manyListeners(signal), end.signal]),
  );
  const watch = refuseWithoutWorker(client, lasting, taskQueue, either);
  try {
    return await Promise.race([client.withAbortSignal(either, ask), watch]);
  } finally {
    end.abort();
    watch.catch(() => undefined);
  }
}

/** Told by the workflow, or by the server: the run that took the ask is gone, or has ten asks already, its limit. */
function mayRepeat(error: unknown): boolean {
  if (error instanceof WorkflowUpdateRPCTimeoutOrCancelledError) return true;
  if (error instanceof ServiceError)
    return grpcCode(error.cause) === RESOURCE_EXHAUSTED || ABORTED.test(String(error.cause));
  if (!(error instanceof WorkflowUpdateFailedError)) return false;
  const { cause } = error;
  return cause instanceof ApplicationFailure && (cause.type === STEWARD_BUSY || cause.type === GONE);
}

/** Of a workflow whose last three tasks failed or ran out of time, the server takes no update. */
function isFailing(error: unknown): boolean {
  return error instanceof ServiceError && FAILED_TASK.test(String(error.cause));
}

function failing({ workflowId, who, from }: Lasting, cause: unknown): RetrainError {
  return new RetrainError(
    'RUN_FAILED',
    `${who} does not get on: its workflow task has failed for a minute, so nothing was done; the log of its worker says why. ` +
      `Start a worker that gets on with it, or end it (\`temporal workflow terminate --workflow-id ${workflowId}\`): the next one goes on from ${from}`,
    { cause },
  );
}

function grpcCode(error: unknown): number | undefined {
  return error instanceof Error && 'code' in error && 'details' in error && typeof error.code === 'number'
    ? error.code
    : undefined;
}

/** gRPC's. */
const RESOURCE_EXHAUSTED = 8;

/** What the server says, as UNAVAILABLE, of an update whose workflow task was lost with its worker: nothing became of it. */
const ABORTED = /Update-with-Start could not be executed|workflow update was aborted/;

const FAILED_TASK = /Workflow Task in failed state/;

/** What the server says of an update whose workflow run closed before it was answered. */
const GONE = 'AcceptedUpdateCompletedWorkflow';

/** The workflow's own word, with its code. */
function refusal(error: unknown): unknown {
  if (!(error instanceof WorkflowUpdateFailedError)) return error;
  const { cause } = error;
  const inner = cause instanceof ActivityFailure ? cause.cause : cause;
  if (!(inner instanceof ApplicationFailure)) return error;
  const code = inner.type != null && isErrorCode(inner.type) ? inner.type : 'RUN_FAILED';
  return new RetrainError(code, inner.message, { cause: error });
}
