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

test('trees of every depth, in full and not: chains are not laid out in full, bushes are', () => {
  const chain = (depth: number): TreeWriter => {
    const writer = new TreeWriter(1);
    let node = 0;
    for (let level = 0; level < depth; level++) {
      const left = writer.split(node, level % 2, level / 7 - 1, level % 3 === 0);
      writer.leaf(left, [level]);
      node = left + 1;
    }
    writer.leaf(node, [-1]);
    return writer;
  };
  const bush = (depth: number): TreeWriter => {
    const writer = new TreeWriter(1);
    let row = [0];
    for (let level = 0; level < depth; level++) {
      row = row.flatMap((node, place) => {
        // Some ways end early.
        if (level > 2 && place % 5 === 0) return (writer.leaf(node, [level + place / 8]), []);
        const left = writer.split(node, (level + place) % 2, (place % 9) / 9 - 0.5, place % 2 === 0);
        return [left, left + 1];
      });
    }
    for (const [place, node] of row.entries()) writer.leaf(node, [place / 4]);
    return writer;
  };
  const trees = [0, 1, 2, 5, 9, 14, 25].flatMap((depth) => [
    chain(depth).finish(),
    bush(depth % 12).finish(),
  ]);
  const forest = averagingForest({ task: 'regression', features: 2, classes: 0 }, trees);
  const { trees: laidOut } = packForest(forest, 1).forest;
  expect(new Set(laidOut.map(({ levels }) => levels === null))).toEqual(new Set([true, false]));
  const cells = [NaN, -0, 0, -0.5, 0.25, -Infinity, Infinity, 1.5];
  const rows = cells.flatMap((one) => cells.map((other) => [one, other]));
  expect(packed(forest, rows)).toEqual(predictBatch(forest, tableOf(rows, 2)));
});
