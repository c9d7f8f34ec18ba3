import { setTimeout as sleep } from 'node:timers/promises';
import { type Client, WorkflowNotFoundError } from '@temporalio/client';
import { RetrainError } from '../contracts/errors';
import { isPolled } from './project-queue';

/** A workflow that is asked for as long as its model is used. */
export interface Lasting {
  workflowId: string;
  /** `the steward of iris` */
  who: string;
  /** From what one that is started anew goes on. */
  from: string;
}

/** One that has a worker answers sooner. */
const LOOK_EVERY_MS = 10_000;

/**
 * Looks from time to time whether any worker polls the task queue of a lasting workflow, such as a model's steward, until the signal is
 * aborted. It stays on the queue of the run that started it, whatever RETRAIN_TASK_QUEUE says since; an ask of one without workers would wait
 * for ever, without a word.
 *
 * @param taskQueue That it would be started on.
 * @throws RetrainError NO_WORKER when nobody polled it for two looks
 */
export async function refuseWithoutWorker(
  client: Client,
  lasting: Lasting,
  taskQueue: string,
  signal: AbortSignal,
): Promise<never> {
  let missed = 0;
  for (;;) {
    await sleep(LOOK_EVERY_MS, undefined, { signal });
    // Temporal away for a moment is not for this to tell.
    const queue = await queueOf(client, lasting.workflowId).catch(() => null);
    const where = queue ?? taskQueue;
    missed = (await isPolled(client, where).catch(() => true)) ? 0 : missed + 1;
    if (missed === 2) throw nobody(lasting, where, taskQueue);
  }
}

async function queueOf(client: Client, workflowId: string): Promise<string | null> {
  try {
    const { taskQueue, status } = await client.workflow.getHandle(workflowId).describe();
    return status.name === 'RUNNING' ? taskQueue : null;
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return null;
    throw error;
  }
}

function nobody({ workflowId, who, from }: Lasting, queue: string, own: string): RetrainError {
  const seen = `${who} waits on task queue ${queue}, which no worker polls`;
  const next =
    queue === own
      ? 'start one: `npm run worker`, or `retrain up`'
      : `the project's own is ${own} now: start a worker with RETRAIN_TASK_QUEUE=${queue}, or end it ` +
        `(\`temporal workflow terminate --workflow-id ${workflowId}\`): the next one goes on from ${from}`;
  return new RetrainError('NO_WORKER', `${seen}; ${next}`);
}
