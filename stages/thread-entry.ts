import { type MessagePort } from 'node:worker_threads';
import { STAGE_NAMES, stageFor } from './catalog';
import { GatedSection } from './native-gate';
import { runStage } from './run-stage';

/** What the executor sends to a thread. */
export type ThreadTask =
  | { stage: string; dir: string; port: MessagePort; gate: SharedArrayBuffer }
  | { warmUp: true; gate: SharedArrayBuffer };

export interface ThreadResult {
  ok: boolean;
  /** Compute time of the stage itself, in ms. */
  durationMs: number;
}

/** Runs a stage in this worker thread; progress goes out over the port, errors by out/error.json. */
export default async function runInThread(task: ThreadTask): Promise<ThreadResult> {
  const started = performance.now();
  const native = new GatedSection(task.gate);
  if ('warmUp' in task) {
    await native.run(async () => {
      await Promise.all(STAGE_NAMES.map((name) => stageFor(name)));
    });
    return { ok: true, durationMs: performance.now() - started };
  }
  const { stage, dir, port } = task;
  try {
    const ok = await runStage(stage, dir, (progress) => port.postMessage(progress), native);
    return { ok, durationMs: performance.now() - started };
  } finally {
    port.close();
  }
}
