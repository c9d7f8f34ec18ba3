import { setTimeout } from 'node:timers/promises';
import { type Client, type WorkflowHandle } from '@temporalio/client';
import { defaultPayloadConverter } from '@temporalio/common';
import { QUERY } from '../../contracts/names';
import { type PipelineProgress } from '../../contracts/progress';
import { TrainingResult } from '../../contracts/run';
import { type StageProgress } from '../../contracts/stage';

/** What a watcher sees of a run at one moment. */
export interface RunView {
  progress: PipelineProgress;
  /** By activity type, of the activities that run. */
  heartbeats: ReadonlyMap<string, StageProgress>;
}

/** Often enough to look alive at first, seldom enough in a long training to cost nothing. */
const INTERVAL_MS = { first: 200, longest: 2_000, growth: 1.1 };

/** A look that takes longer is of no use; the client's own retries end with it. */
const LOOK_MS = 3_000;

/** When nobody has taken the run up by then, the user wants to know. */
const IDLE_MS = 10_000;

/** What a follower shows. */
export interface Watcher {
  /** Called after each look. */
  show(view: RunView): void;
  /** Called, once, when nobody has taken the run up for 10 s. */
  idle(): void;
}

/**
 * Waits for a run to end and shows what it does meanwhile. Watching is a courtesy: when a look fails (the
 * worker restarts, the server is busy), the wait goes on.
 *
 * @param watcher Null: nobody looks, so the server is not asked.
 * @throws WorkflowFailedError when it failed, was cancelled or terminated
 */
export async function followRun(
  client: Client,
  run: { workflowId: string; workflowRunId: string },
  watcher: Watcher | null,
): Promise<TrainingResult> {
  const handle = client.workflow.getHandle(run.workflowId, run.workflowRunId);
  const ended = new AbortController();
  const watching = watcher === null ? null : watch(client, handle, ended.signal, watcher);
  try {
    const result: unknown = await handle.result();
    return TrainingResult.parse(result);
  } finally {
    ended.abort();
    // Not left behind: a look that is tried again after its connection is closed ends the process.
    await watching;
    const last = watcher === null ? null : await look(client, handle);
    if (last !== null) watcher?.show(last);
  }
}

async function watch(
  client: Client,
  handle: WorkflowHandle,
  ended: AbortSignal,
  watcher: Watcher,
): Promise<void> {
  const begun = Date.now();
  let taken = false;
  for (let interval = INTERVAL_MS.first; !ended.aborted;) {
    const view = await look(client, handle);
    if (ended.aborted) return;
    if (view !== null) {
      taken = true;
      watcher.show(view);
    } else if (!taken && Date.now() - begun > IDLE_MS) {
      taken = true;
      watcher.idle();
    }
    await setTimeout(interval, undefined, { signal: ended }).catch(() => undefined);
    interval = Math.min(interval * INTERVAL_MS.growth, INTERVAL_MS.longest);
  }
}

/** Null when the run cannot be looked at right now. */
async function look(client: Client, handle: WorkflowHandle): Promise<RunView | null> {
  try {
    const [progress, description] = await client.withDeadline(Date.now() + LOOK_MS, () =>
      settled(handle.query<PipelineProgress>(QUERY.progress), handle.describe()),
    );
    const heartbeats = new Map<string, StageProgress>();
    for (const { activityType, heartbeatDetails } of description.raw.pendingActivities ?? []) {
      const [payload] = heartbeatDetails?.payloads ?? [];
      if (activityType?.name == null || payload == null) continue;
      const details = defaultPayloadConverter.fromPayload<StageProgress | undefined>(payload);
      if (details != null) heartbeats.set(activityType.name, details);
    }
    return { progress, heartbeats };
  } catch {
    return null;
  }
}

/** Both, or the first error once both have ended: none is left on its way. */
async function settled<A, B>(a: Promise<A>, b: Promise<B>): Promise<[A, B]> {
  await Promise.allSettled([a, b]);
  return [await a, await b];
}
