import { setTimeout as sleep } from 'node:timers/promises';
import { type Client, WorkflowNotFoundError } from '@temporalio/client';
import { RetrainError } from '../contracts/errors';
import { stewardWorkflowId } from '../contracts/names';
import { isPolled } from './project-queue';

/** A steward that has a worker answers sooner. */
const LOOK_EVERY_MS = 10_000;

/**
 * Looks from time to time whether any worker polls the task queue of a model's steward, until the signal is aborted. A steward
 * stays on the queue of the run that started it, whatever RETRAIN_TASK_QUEUE says since; an ask of one without workers would wait
 * for ever, without a word.
 *
 * @param taskQueue That a steward would be started on.
 * @throws RetrainError NO_WORKER when nobody polled it for two looks
 */
export async function refuseWithoutWorker(
  client: Client,
  model: string,
  taskQueue: string,
  signal: AbortSignal,
): Promise<never> {
  let missed = 0;
  for (;;) {
    await sleep(LOOK_EVERY_MS, undefined, { signal });
    // Temporal away for a moment is not for this to tell.
    const queue = await queueOfSteward(client, model).catch(() => null);
    const where = queue ?? taskQueue;
    missed = (await isPolled(client, where).catch(() => true)) ? 0 : missed + 1;
    if (missed === 2) throw nobody(model, where, taskQueue);
  }
}

async function queueOfSteward(client: Client, model: string): Promise<string | null> {
  try {
    const { taskQueue, status } = await client.workflow.getHandle(stewardWorkflowId(model)).describe();
    return status.name === 'RUNNING' ? taskQueue : null;
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return null;
    throw error;
  }
}

function nobody(model: string, queue: string, own: string): RetrainError {
  const seen = `the steward of ${model} waits on task queue ${queue}, which no worker polls`;
  const next =
    queue === own
      ? 'start one: `npm run worker`, or `retrain up`'
      : `the project's own is ${own} now: start a worker with RETRAIN_TASK_QUEUE=${queue}, or end that steward ` +
        `(\`temporal workflow terminate --workflow-id ${stewardWorkflowId(model)}\`): the next one goes on from the ledger in MLflow`;
  return new RetrainError('NO_WORKER', `${seen}; ${next}`);
}
