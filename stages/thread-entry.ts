import { type MessagePort } from 'node:worker_threads';
import { type StageError, type StageProgress } from '../contracts/stage';
import { STAGE_NAMES, stageFor } from './catalog';
import { GatedSection } from './native-gate';
import { runInFolder } from './run-in-folder';

/** What the executor sends to a thread. */
export type ThreadTask =
  | { stage: string; dir: string; port: MessagePort; gate: SharedArrayBuffer; memoryBytes: number }
  | { warmUp: true; gate: SharedArrayBuffer };

export interface ThreadResult {
  /** Null: it succeeded. */
  error: StageError | null;
  /** Compute time of the stage itself, in ms. */
  durationMs: number;
}

/** Runs a stage in this worker thread; progress goes out over the port, errors by out/error.json. */
export default async function runInThread(task: ThreadTask): Promise<ThreadResult> {
  const started = performance.now();
  const native = new GatedSection(task.gate);
  if ('warmUp' in task) {
    await native.run(async () => {
      // Evaluation loads onnxruntime when it first needs it.
      await Promise.all([
        ...STAGE_NAMES.map((name) => stageFor(name)),
        import('../ml/scoring/onnx-session.js'),
      ]);
    });
    return { error: null, durationMs: performance.now() - started };
  }
  const { stage, dir, port, memoryBytes } = task;
  try {
    const report = (progress: StageProgress): void => port.postMessage(progress);
    const error = await runInFolder(stage, dir, report, native, memoryBytes, false);
    return { error, durationMs: performance.now() - started };
  } finally {
    port.close();
  }
}
