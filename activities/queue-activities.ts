import { type Client } from '@temporalio/client';
import { type PipelineActivities } from '../contracts/activities';

/** Number of temporal.api.enums.v1.TaskQueueType. */
const ACTIVITY_TASKS = 2;

/** A worker that polls asks again within a minute; the server remembers dead ones for five. */
const ALIVE_WITHIN_MS = 75_000;

/** Which workers there are for a stage that runs on a queue of its own. Reads only. */
export function createQueueActivities({
  client,
}: {
  client: Client;
}): Pick<PipelineActivities, 'countPollers'> {
  return {
    async countPollers({ queue }) {
      const { pollers } = await client.connection.workflowService.describeTaskQueue({
        namespace: client.options.namespace,
        taskQueue: { name: queue },
        taskQueueType: ACTIVITY_TASKS,
      });
      const alive = (pollers ?? []).filter(
        ({ lastAccessTime }) => Date.now() - Number(lastAccessTime?.seconds ?? 0) * 1000 < ALIVE_WITHIN_MS,
      );
      return { pollers: alive.length };
    },
  };
}
