import { setTimeout as setTimer } from 'node:timers';
import { setTimeout } from 'node:timers/promises';
import { type Client, type WorkflowHandle } from '@temporalio/client';
import { defaultPayloadConverter } from '@temporalio/common';
import { QUERY } from '../../contracts/names';
import { type PipelineProgress } from '../../contracts/progress';
import { TrainingResult } from '../../contracts/run';
import { type StageProgress } from '../../contracts/stage';
import { RetrainError } from '../../contracts/errors';
import { manyListeners } from '../../integrations/files/many-listeners';
import { outlast } from '../../temporal/outlast';

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

/** What everybody who waits is told, whether or not they look on. */
export interface Patience {
  /** The server does not answer; the run goes on. */
  away(reason: string): void;
  back(): void;
  /** How long to wait for the run, in ms; null: as long as it takes. */
  timeoutMs: number | null;
}

/** How long a server may be away at a time, in ms, where nobody has said how long to wait: longer than restarts and fail-overs take. */
const LONGEST_OUTAGE_MS = 600_000;

/**
 * Waits for a run to end and shows what it does meanwhile, over outages of the server: the run outlives them. Watching is a
 * courtesy: when a look fails (the worker restarts, the server is busy), the wait goes on.
 *
 * @param watcher Null: nobody looks, so the server is not asked.
 * @throws WorkflowFailedError when it failed, was cancelled or terminated; RetrainError WAIT_TIMED_OUT
 */
export async function followRun(
  client: Client,
  run: { workflowId: string; workflowRunId: string },
  watcher: Watcher | null,
  patience: Patience,
): Promise<TrainingResult> {
  const handle = client.workflow.getHandle(run.workflowId, run.workflowRunId);
  const ended = new AbortController();
  const over = new AbortController();
  const server = { away: false };
  const watching = watcher === null ? null : watch(client, handle, ended.signal, watcher, server);
  const { timeoutMs } = patience;
  const timer = timeoutMs === null ? undefined : setTimer(() => over.abort(timedOut(timeoutMs)), timeoutMs);
  try {
    const result: unknown = await outlast(
      () => client.withAbortSignal(manyListeners(over.signal), () => handle.result()),
      {
        onAway: (reason) => {
          server.away = true;
          patience.away(reason);
        },
        onBack: () => {
          server.away = false;
          patience.back();
        },
        longestMs: timeoutMs ?? LONGEST_OUTAGE_MS,
        signal: over.signal,
      },
    );
    return TrainingResult.parse(result);
  } finally {
    clearTimeout(timer);
    ended.abort();
    // Not left behind: a look that is tried again after its connection is closed ends the process.
    await watching;
    const last = watcher === null ? null : await look(client, handle);
    if (last !== null) watcher?.show(last);
  }
}

function timedOut(timeoutMs: number): RetrainError {
  return new RetrainError(
    'WAIT_TIMED_OUT',
    `the run has not ended within ${timeoutMs / 1000} s (--timeout), and goes on; wait for it again with retrain start --wait, or end it with retrain cancel`,
  );
}

async function watch(
  client: Client,
  handle: WorkflowHandle,
  ended: AbortSignal,
  watcher: Watcher,
  server: { readonly away: boolean },
): Promise<void> {
  const begun = Date.now();
  let taken = false;
  for (let interval = INTERVAL_MS.first; !ended.aborted;) {
    const view = await look(client, handle);
    if (ended.aborted) return;
    if (view !== null) {
      taken = true;
      watcher.show(view);
    } else if (!taken && !server.away && Date.now() - begun > IDLE_MS) {
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
