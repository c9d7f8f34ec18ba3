import { type Client, type WorkflowHandle } from '@temporalio/client';
import { defaultPayloadConverter } from '@temporalio/common';
import { QUERY } from '../contracts/names';
import { type PipelineProgress } from '../contracts/progress';
import { TrainingResult } from '../contracts/run';
import { type StageProgress } from '../contracts/stage';

/** What a watcher sees of a run at one moment. */
export interface RunView {
  progress: PipelineProgress;
  /** By activity type, of the activities that run. */
  heartbeats: ReadonlyMap<string, StageProgress>;
}

/** Often enough to look alive, seldom enough to cost nothing. */
const INTERVAL_MS = 250;

/**
 * Waits for a run to end and shows what it does meanwhile. Watching is a courtesy: when a look fails (the
 * worker restarts, the server is busy), the wait goes on.
 *
 * @param show Called after each look.
 * @param idle Called, once, when nobody has taken the run up for 10 s.
 * @throws WorkflowFailedError when it failed, was cancelled or terminated
 */
export async function followRun(
  client: Client,
  run: { workflowId: string; workflowRunId: string },
  show: (view: RunView) => void,
  idle: () => void,
): Promise<TrainingResult> {
  const handle = client.workflow.getHandle(run.workflowId, run.workflowRunId);
  const ended = new AbortController();
  const watching = watch(handle, ended.signal, show, idle);
  try {
    const result: unknown = await handle.result();
    return TrainingResult.parse(result);
  } finally {
    ended.abort();
    await watching;
    const last = await look(handle);
    if (last !== null) show(last);
  }
}

async function watch(
  handle: WorkflowHandle,
  ended: AbortSignal,
  show: (view: RunView) => void,
  idle: () => void,
): Promise<void> {
  const begun = Date.now();
  let told = false;
  let seen = false;
  while (!ended.aborted) {
    const view = await Promise.race([look(handle), aborted(ended)]);
    if (ended.aborted) return;
    if (view !== null) {
      seen = true;
      show(view);
    } else if (!seen && !told && Date.now() - begun > 10_000) {
      told = true;
      idle();
    }
    await Promise.race([new Promise((resolve) => setTimeout(resolve, INTERVAL_MS)), aborted(ended)]);
  }
}

function aborted(signal: AbortSignal): Promise<null> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve(null);
    signal.addEventListener('abort', () => resolve(null), { once: true });
  });
}

/** Null when the run cannot be looked at right now. */
export async function look(handle: WorkflowHandle): Promise<RunView | null> {
  try {
    const [progress, description] = await Promise.all([
      handle.query<PipelineProgress>(QUERY.progress),
      handle.describe(),
    ]);
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
