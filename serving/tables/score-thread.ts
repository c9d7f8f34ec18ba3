// A thread that walks blocks of prepared rows through a forest, for `ScoreCrew`.
import { parentPort, workerData } from 'node:worker_threads';
import { type Forest } from '../../ml/forest/forest';
import { predictRange } from '../../ml/forest/predict';
import { type Block } from './score-crew';

const { forest } = workerData as { forest: Forest };

parentPort?.on('message', ({ id, table, predictions }: Block) => {
  predictRange(forest, table, 0, table.rows, predictions);
  parentPort?.postMessage(id);
});
