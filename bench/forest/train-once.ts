/**
 * `node train-once.js JSON FILE [PREDICT] [--alone]`: trains on a table file (see table-file.ts) with the params in JSON and prints
 * one line of JSON. With PREDICT, another table file, what is measured is predicting all its rows instead. With --alone, one thread trains. A process of its
 * own, so that its peak memory is that of this one training.
 */
import { TrainParams } from '../../contracts/train-params';
import { predictTable, type Model } from '../../ml/model/model';
import { trainerFor } from '../../ml/trainer/catalog';
import { binaryAuc } from './auc';
import { measured } from './figures';
import { readTableFile } from './table-file';

async function main(): Promise<void> {
  const [json = '{}', file = '', predict] = process.argv
    .slice(2)
    .filter((argument) => argument !== '--alone');
  const alone = process.argv.includes('--alone') ? { threads: 1 } : {};
  const { train, held } = readTableFile(file);
  const params = TrainParams.parse({ engine: 'histogram', ...(JSON.parse(json) as object) });
  let model: Model | undefined;
  let figures = await measured(async () => {
    ({ model } = await trainerFor(params.algorithm, params.engine).train(train, params, alone));
  });
  if (model === undefined) throw new Error('no model');
  const trained = model;
  const auc = binaryAuc(await predictTable(trained, held), held.labels);
  if (predict !== undefined) {
    const large = readTableFile(predict);
    figures = await measured(async () => {
      await predictTable(trained, large.train);
      await predictTable(trained, large.held);
    });
  }
  console.log(JSON.stringify({ ...figures, auc }));
}

void main();
