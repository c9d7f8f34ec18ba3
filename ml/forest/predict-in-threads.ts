import { join } from 'node:path';
import type { FeatureMatrix } from '../dataset/matrix';
import { Crew } from './crew';
import { predictionWidth, type Forest } from './forest';
import { requireWidth } from './predict';
import { onSharedMemory } from './shared-memory';

/** What each thread is started with. */
export interface PredictThreadData {
  forest: Forest;
  /** Values on shared memory. */
  table: FeatureMatrix;
  /** `[n, K]` shared, filled in by the threads. */
  predictions: Float64Array;
  /** Shared: the next block of rows. */
  counter: Int32Array;
  blockRows: number;
}

export interface PredictOptions {
  threads: number;
  /** The compiled predict-thread.ts. Default: the one beside this file. */
  threadEntry?: string;
  /** Ends the threads: the prediction rejects with the signal's reason. */
  signal?: AbortSignal;
}

/** The compiled entry file of a thread. */
export const PREDICT_THREAD_ENTRY = join(__dirname, 'predict-thread.js');

/** Few enough blocks that a tree stays in the cache for long, enough that the threads end together. */
const BLOCKS_PER_THREAD = 4;

/**
 * Predicts all rows of a table as `predictBatch` does, bit for bit, in several threads. Each gets a copy of the forest;
 * values that are not on shared memory are copied there.
 * @throws RetrainError MODEL_INVALID when the table is not d wide
 */
export async function predictInThreads(
  forest: Forest,
  table: FeatureMatrix,
  { threads, threadEntry = PREDICT_THREAD_ENTRY, signal }: PredictOptions,
): Promise<Float64Array> {
  requireWidth(forest, table.features);
  signal?.throwIfAborted();
  const size = table.rows * predictionWidth(forest);
  const predictions = new Float64Array(new SharedArrayBuffer(8 * size));
  const data: PredictThreadData = {
    forest,
    table: { values: onSharedMemory(table.values), rows: table.rows, features: table.features },
    predictions,
    counter: new Int32Array(new SharedArrayBuffer(4)),
    blockRows: Math.max(1, Math.ceil(table.rows / (threads * BLOCKS_PER_THREAD))),
  };
  let crew: Crew<never, 'done'> | undefined;
  let onAbort: (() => void) | undefined;
  try {
    await new Promise<void>((resolve, reject) => {
      onAbort = () => {
        reject(signal?.reason as Error);
      };
      signal?.addEventListener('abort', onAbort);
      let working = threads;
      crew = new Crew<never, 'done'>(
        threadEntry,
        threads,
        data,
        () => {
          working--;
          if (working === 0) resolve();
        },
        reject,
        { mayExit: true },
      );
    });
  } finally {
    if (onAbort !== undefined) signal?.removeEventListener('abort', onAbort);
    await crew?.stop();
  }
  return predictions;
}
