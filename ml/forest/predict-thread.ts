// A thread that predicts blocks of rows for `predictInThreads`, taking them from a counter in shared memory.
import { parentPort, workerData } from 'node:worker_threads';
import { predictRange } from './predict';
import type { PredictThreadData } from './predict-in-threads';

const { forest, table, predictions, counter, blockRows } = workerData as PredictThreadData;

for (;;) {
  const start = Atomics.add(counter, 0, 1) * blockRows;
  if (start >= table.rows) break;
  predictRange(forest, table, start, Math.min(table.rows, start + blockRows), predictions);
}
parentPort?.postMessage('done');
