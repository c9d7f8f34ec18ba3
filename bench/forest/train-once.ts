/**
 * `node train-once.js FILE JSON`: trains on a table file (see table-file.ts) with the params in JSON, scores the held-out
 * rows, and prints one line of JSON. A process of its own, so that its peak memory is that of this one training.
 */
import { TrainParams } from '../../contracts/train-params';
import { predictTable } from '../../ml/model/model';
import { trainerFor } from '../../ml/trainer/catalog';
import { readTableFile } from './table-file';
import { binaryAuc } from './auc';

async function main(): Promise<void> {
  const [file = '', json = '{}'] = process.argv.slice(2);
  const { train, held } = readTableFile(file);
  const params = TrainParams.parse({ engine: 'histogram', ...(JSON.parse(json) as object) });
  const started = performance.now();
  const { model } = await trainerFor(params.algorithm, params.engine).train(train, params);
  const seconds = (performance.now() - started) / 1000;
  const predicting = performance.now();
  const probabilities = await predictTable(model, held);
  const predictSeconds = (performance.now() - predicting) / 1000;
  const { userCPUTime, systemCPUTime, maxRSS } = process.resourceUsage();
  console.log(
    JSON.stringify({
      name: 'retrain',
      seconds,
      predictSeconds,
      cpuSeconds: (userCPUTime + systemCPUTime) / 1e6,
      peakMiB: maxRSS / 1024,
      auc: binaryAuc(probabilities, held.labels),
    }),
  );
}

void main();
