import { randomUUID } from 'node:crypto';
import {
  type Client,
  WithStartWorkflowOperation,
  WorkflowIdConflictPolicy,
  WorkflowUpdateFailedError,
  WorkflowUpdateRPCTimeoutOrCancelledError,
} from '@temporalio/client';
import { ActivityFailure, ApplicationFailure } from '@temporalio/common';
import { isErrorCode, RetrainError } from '../contracts/errors';
import { STEWARD_MOVING, stewardWorkflowId, type UPDATE, WORKFLOW } from '../contracts/names';
import { type StewardInput } from '../contracts/steward';

export interface StewardAsk {
  client: Client;
  taskQueue: string;
  model: string;
  /** What is asked: a name of `UPDATE`. */
  update: (typeof UPDATE)[keyof typeof UPDATE];
  args: unknown;
  /** The same for every try of one ask; made up when absent. */
  id?: string;
  signal?: AbortSignal;
}

/** Waits before an ask is repeated that a steward could not take while it continued as new, in ms. */
const AGAIN_MS = 200;

/**
 * Asks a model's steward, and starts it if it does not run. Repeats the ask while the steward continues as new, and when the
 * answer does not come within the server's own time limit: by its id it is one ask.
 *
 * @throws RetrainError the steward's refusal
 */
export async function askSteward<T>({
  client,
  taskQueue,
  model,
  update,
  args,
  id = randomUUID(),
  signal,
}: StewardAsk): Promise<T> {
  for (let time = 0; ; time++) {
    signal?.throwIfAborted();
    const startWorkflowOperation = new WithStartWorkflowOperation(WORKFLOW.modelSteward, {
      workflowId: stewardWorkflowId(model),
      taskQueue,
      args: [{ model } satisfies StewardInput],
      workflowIdConflictPolicy: WorkflowIdConflictPolicy.USE_EXISTING,
      staticSummary: `steward of ${model}`,
      staticDetails: `The only one that moves the aliases of **${model}**. Its ledger: \`retrain history ${model}\`.`,
    });
    try {
      // Per try: an id whose ask failed for the steward's move would only get the same failure again.
      const options = { startWorkflowOperation, args: [args], updateId: `${id}-${time}` };
      const ask = (): Promise<unknown> => client.workflow.executeUpdateWithStart(update, options);
      return (await (signal === undefined ? ask() : client.withAbortSignal(signal, ask))) as T;
    } catch (error) {
      if (!mayRepeat(error)) throw refusal(error);
    }
    await new Promise((resolve) => setTimeout(resolve, AGAIN_MS));
  }
}

/** Told by the steward, or by the server when the run that took the ask is gone. */
function mayRepeat(error: unknown): boolean {
  if (error instanceof WorkflowUpdateRPCTimeoutOrCancelledError) return true;
  if (!(error instanceof WorkflowUpdateFailedError)) return false;
  const { cause } = error;
  return cause instanceof ApplicationFailure && (cause.type === STEWARD_MOVING || cause.type === GONE);
}

/** What the server says of an update whose workflow run closed before it was answered. */
const GONE = 'AcceptedUpdateCompletedWorkflow';

/** The steward's own word, with its code. */
function refusal(error: unknown): unknown {
  if (!(error instanceof WorkflowUpdateFailedError)) return error;
  const { cause } = error;
  const inner = cause instanceof ActivityFailure ? cause.cause : cause;
  if (!(inner instanceof ApplicationFailure)) return error;
  const code = inner.type != null && isErrorCode(inner.type) ? inner.type : 'RUN_FAILED';
  return new RetrainError(code, inner.message, { cause: error });
}
