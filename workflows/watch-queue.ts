import { CancellationScope, isCancellation, log, proxyActivities, sleep } from '@temporalio/workflow';
import { type PipelineActivities } from '../contracts/activities';
import { tracking } from './activity-options';

/** First look, in ms: a queue without workers is reported well within 30 s. */
const FIRST_LOOK_MS = 10_000;

/** Looks become rarer up to this, in ms, so that a day of waiting adds few events to the history. */
const RAREST_LOOK_MS = 300_000;

/**
 * Does a stage's work on a queue of its own, and says so when no worker polls that queue. The work goes on when one comes.
 *
 * @param remark shows what there is to say about the wait, or takes it back
 */
export async function watchingQueue<T>(
  queue: string | undefined,
  remark: (text: string | undefined) => void,
  work: () => Promise<T>,
): Promise<T> {
  if (queue === undefined) return work();
  const watch = new CancellationScope();
  const watching = watch
    .run(() => watchQueue(queue, remark))
    .catch((error: unknown) => {
      if (!isCancellation(error)) log.warn('queue not watched', { queue, reason: String(error) });
    });
  try {
    return await work();
  } finally {
    watch.cancel();
    await watching;
    remark(undefined);
  }
}

async function watchQueue(queue: string, remark: (text: string | undefined) => void): Promise<void> {
  const { countPollers } = proxyActivities<PipelineActivities>({
    ...tracking,
    summary: `workers on ${queue}`,
  });
  for (let wait = FIRST_LOOK_MS; ; wait = Math.min(wait * 2, RAREST_LOOK_MS)) {
    await sleep(wait);
    const { pollers } = await countPollers({ queue });
    if (pollers === 0) log.warn('no worker polls the queue of a stage', { queue });
    remark(pollers === 0 ? `waiting: no worker polls ${queue}` : undefined);
  }
}
