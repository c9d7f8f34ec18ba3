import * as fc from 'fast-check';
import { averagingForest, type Forest, predictionWidth } from '../../../ml/forest/forest';
import { packForest } from '../../../ml/forest/packed/packed-forest';
import { PackedPredictor } from '../../../ml/forest/packed/predict-packed';
import { predictBatch } from '../../../ml/forest/predict';
import { TreeWriter } from '../../../ml/forest/tree-writer';
import { tableOf } from '../table';
import { forests, rowsFor } from './arbitrary-forest';

const cases = forests.chain((forest) => rowsFor(forest).map((rows) => ({ forest, rows })));

function packed(forest: Forest, rows: number[][]): Float64Array {
  const predictor = new PackedPredictor(packForest(forest, 2), 1);
  const predictions = new Float64Array(rows.length * predictionWidth(forest));
  predictor.predict(tableOf(rows, forest.features), predictions);
  // Once more in the same room: nothing of the first time is left there.
  predictor.predict(tableOf(rows, forest.features), predictions);
  return predictions;
}

test('packed for WebAssembly, a forest says of every row what it says as it is, bit for bit', () => {
  fc.assert(
    fc.property(cases, ({ forest, rows }) => {
      expect(packed(forest, rows)).toEqual(predictBatch(forest, tableOf(rows, forest.features)));
    }),
    { numRuns: 300 },
  );
});

test('more rows than go through the trees together, in rows of two widths', () => {
  for (const features of [1, 4000]) {
    const [forest] = fc.sample(
      forests.filter((some) => some.task === 'classification'),
      { numRuns: 1, seed: 7 },
    );
    if (forest === undefined) throw new Error('no sample');
    const wide = { ...forest, features: Math.max(forest.features, features) };
    const count = features === 1 ? 40_001 : 45;
    const rows = Array.from({ length: count }, (_, i) =>
      Array.from({ length: wide.features }, (_, f) =>
        (i * 7 + f) % 11 === 0 ? NaN : ((i * 13 + f) % 9) - 4,
      ),
    );
    expect(packed(wide, rows)).toEqual(predictBatch(wide, tableOf(rows, wide.features)));
  }
});

test('a forest of no features predicts its constant for every row', () => {
  const writer = new TreeWriter(2);
  writer.leaf(0, [0.25, 0.75]);
  const forest = averagingForest({ task: 'classification', features: 0, classes: 2 }, [writer.finish()]);
  const rows = Array.from({ length: 11 }, () => []);
  expect([...packed(forest, rows)]).toEqual(rows.flatMap(() => [0.25, 0.75]));
});
