import { averagingForest } from '../../../ml/forest/forest';
import { predictBatch } from '../../../ml/forest/predict';
import { TreeWriter } from '../../../ml/forest/tree-writer';

test('a model of no features predicts its constant for every row', () => {
  const writer = new TreeWriter(2);
  writer.leaf(0, [0.25, 0.75]);
  const forest = averagingForest({ task: 'classification', features: 0, classes: 2 }, [writer.finish()]);
  const table = { values: new Float32Array(0), rows: 5, features: 0 };
  expect([...predictBatch(forest, table)]).toEqual(Array.from({ length: 5 }, () => [0.25, 0.75]).flat());
});
