import { setTimeout as sleep } from 'node:timers/promises';
import { type Client } from '@temporalio/client';
import { RetrainError } from '../contracts/errors';
import { areDifferent, ProjectIdentity } from '../contracts/project-identity';

/** Memo key of workflows: the `ProjectIdentity` that they belong to. */
export const PROJECT_MEMO = 'project';

/** Number of temporal.api.enums.v1.TaskQueueType. */
const WORKFLOW_TASKS = 1;

/** A worker that polls asks again within a minute; the server remembers dead ones for five. */
const ALIVE_WITHIN_MS = 75_000;

/** Open workflows that are looked at: a queue's oldest owner has a steward among them. */
const MOST_WORKFLOWS = 200;

/** By what a worker is known to the server, and to whoever looks at it: `4711@host project github.com/ann/iris`. */
export function workerIdentity({ id, host, certain }: ProjectIdentity): string {
  return `${process.pid}@${host} ${certain ? 'project' : 'folder'} ${id}`;
}

/** The project that a worker's identity tells; null for one that does not. */
export function projectOfWorker(identity: string): ProjectIdentity | null {
  const [, host, kind, id] = /^\d+@(\S+) (project|folder) (.+)$/s.exec(identity) ?? [];
  if (host === undefined || id === undefined) return null;
  return { id, host, certain: kind === 'project' };
}

/**
 * Refuses a task queue that another project works on: its worker polls it, or a workflow that it started is open there, such as the
 * steward of a model, which lasts. So a queue stays its first project's while that one's workers are away for a moment.
 *
 * @throws RetrainError QUEUE_TAKEN
 */
export async function refuseForeignQueue(
  client: Client,
  taskQueue: string,
  own: ProjectIdentity,
): Promise<void> {
  const user = (await pollingProject(client, taskQueue, own)) ?? (await openProject(client, taskQueue, own));
  if (user === null) return;
  throw new RetrainError(
    'QUEUE_TAKEN',
    `task queue ${taskQueue} is used by another project, ${user.project.id} (${user.how}), and this is ${own.id}; ` +
      `set RETRAIN_TASK_QUEUE to a queue of this project's own, such as ${taskQueue}-${suffixOf(own)}, for its workers and commands (.env)` +
      `, or, if both are one project, RETRAIN_PROJECT_ID to the same name for both`,
  );
}

/** A worker whose first poll has not arrived by then has a server that is in trouble: no reason not to go on. */
const POLLING_WITHIN_MS = 10_000;

/** Waits until the server knows this process as a worker of the queue. */
export async function untilPolling(client: Client, taskQueue: string, own: ProjectIdentity): Promise<void> {
  const deadline = Date.now() + POLLING_WITHIN_MS;
  while (Date.now() < deadline) {
    const pollers = await pollersOf(client, taskQueue);
    if (pollers.some(({ identity }) => identity === workerIdentity(own))) return;
    await sleep(20);
  }
}

/** Whether a worker asked for workflow tasks of the queue within the last minute. */
export async function isPolled(client: Client, taskQueue: string): Promise<boolean> {
  const pollers = await pollersOf(client, taskQueue);
  return pollers.some(({ lastSeenMs }) => Date.now() - lastSeenMs <= ALIVE_WITHIN_MS);
}

/** When the server last saw this process poll, in epoch ms; null: not since it remembers. */
export async function lastPoll(
  client: Client,
  taskQueue: string,
  own: ProjectIdentity,
): Promise<number | null> {
  const polls = (await pollersOf(client, taskQueue)).filter(
    ({ identity }) => identity === workerIdentity(own),
  );
  return polls.length === 0 ? null : Math.max(...polls.map(({ lastSeenMs }) => lastSeenMs));
}

interface QueueUser {
  project: ProjectIdentity;
  how: string;
}

async function pollingProject(
  client: Client,
  taskQueue: string,
  own: ProjectIdentity,
): Promise<QueueUser | null> {
  for (const { identity, lastSeenMs } of await pollersOf(client, taskQueue)) {
    if (Date.now() - lastSeenMs > ALIVE_WITHIN_MS) continue;
    const project = projectOfWorker(identity);
    if (project !== null && areDifferent(project, own)) {
      return { project, how: `worker ${identity.split(' ')[0]}` };
    }
  }
  return null;
}

/** Who polled the queue for workflows in the last minutes. */
async function pollersOf(
  client: Client,
  taskQueue: string,
): Promise<{ identity: string; lastSeenMs: number }[]> {
  const { pollers } = await client.connection.workflowService.describeTaskQueue({
    namespace: client.options.namespace,
    taskQueue: { name: taskQueue },
    taskQueueType: WORKFLOW_TASKS,
  });
  return (pollers ?? []).map(({ identity, lastAccessTime }) => ({
    identity: identity ?? '',
    lastSeenMs: Number(lastAccessTime?.seconds ?? 0) * 1000,
  }));
}

async function openProject(
  client: Client,
  taskQueue: string,
  own: ProjectIdentity,
): Promise<QueueUser | null> {
  const query = `TaskQueue = '${taskQueue.replaceAll("'", "''")}' AND ExecutionStatus = 'Running'`;
  let seen = 0;
  for await (const { workflowId, memo } of client.workflow.list({ query, pageSize: MOST_WORKFLOWS })) {
    const project = ProjectIdentity.safeParse(memo?.[PROJECT_MEMO]).data;
    if (project !== undefined && areDifferent(project, own)) {
      return { project, how: `workflow ${workflowId} is open` };
    }
    if (++seen === MOST_WORKFLOWS) break;
  }
  return null;
}

/** Letters that make a queue's name: the project's own last name. */
function suffixOf({ id }: ProjectIdentity): string {
  return (
    id
      .split('/')
      .at(-1)
      ?.replace(/[^\w.-]/g, '-') || 'two'
  );
}
