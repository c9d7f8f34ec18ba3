import { TrainParams } from '../../../../contracts/train-params';
import type { FeatureMatrix } from '../../../../ml/dataset/matrix';
import { predictBatch } from '../../../../ml/forest/predict';
import type { Forest } from '../../../../ml/forest/forest';
import { predict } from '../../../../ml/model/model';
import { trainerFor } from '../../../../ml/trainer/catalog';
import type { TrainingTable } from '../../../../ml/trainer/trainer';
import { Random } from '../../../../ml/random/random';

/** Ten times as many values as bins, in no order. */
const ROWS = 2500;

function column(missing = 0): FeatureMatrix {
  const values = Float32Array.from({ length: ROWS }, (_, i) => Math.fround(Math.log1p((i * 1009) % ROWS)));
  for (let i = 0; i < missing; i++) values[i] = NaN;
  return { values, rows: ROWS, features: 1 };
}

const labelsOf = (classes: number, missing = 0): Uint32Array => {
  const random = new Random(3);
  // Rows without a value are alike.
  return Uint32Array.from({ length: ROWS }, (_, i) => (i < missing ? 1 : random.below(classes)));
};

async function grown(algorithm: string, table: TrainingTable, more: object = {}): Promise<Forest> {
  const params = TrainParams.parse({ algorithm, n_estimators: 1, bootstrap: false, ...more });
  const { model } = await trainerFor(params.algorithm, params.engine).train(table, params, { threads: 0 });
  if (model.kind !== 'forest') throw new Error('a forest was expected');
  return model;
}

describe.each(['random-forest', 'extra-trees'])('%s', (algorithm) => {
  test.each([
    [2, 0],
    [2, 40],
    [3, 0],
    [3, 40],
  ])('tells all values apart: %s classes, %s rows without a value', async (classes, missing) => {
    const labels = labelsOf(classes, missing);
    const model = await grown(algorithm, { ...column(missing), labels, classes });
    const said = predictBatch(model, column(missing));
    labels.forEach((label, i) => expect(said[i * classes + label]).toBe(1));
  });

  test('tells all values of a regression apart', async () => {
    const targets = Float32Array.from(labelsOf(1000));
    const model = await grown(algorithm, { ...column(), targets });
    predictBatch(model, column()).forEach((value, i) => expect(value).toBeCloseTo(targets[i]!, 3));
  });
});

test.each([2, 3])('keeps the least rows of a leaf with %s classes', async (classes) => {
  const table = { ...column(), labels: labelsOf(classes), classes };
  const model = await grown('random-forest', table, { min_samples_leaf: 7 });
  const rowsOf = new Map<number, number>();
  const [tree] = model.trees;
  for (const value of table.values) {
    let node = 0;
    while (tree!.feature[node]! >= 0) node = tree!.child[node]! + Number(!(value <= tree!.threshold[node]!));
    rowsOf.set(node, (rowsOf.get(node) ?? 0) + 1);
  }
  expect(Math.min(...rowsOf.values())).toBeGreaterThanOrEqual(7);
});

test('a split lies in the middle between the values that it separates', async () => {
  const values = Float32Array.from({ length: ROWS }, (_, i) => i);
  const targets = values.map((value) => Number(value > 1203));
  const model = await grown('random-forest', { values, rows: ROWS, features: 1, targets });
  expect([...model.trees[0]!.threshold].filter((t) => t !== 0)).toEqual([1203.5]);
});

test('a regression far off zero keeps the digits that float32 has there', async () => {
  const a = Float32Array.from({ length: ROWS }, (_, i) => ((i * 1009) % ROWS) / ROWS);
  const targets = Float32Array.from(a, (x) => 1000 * x + 1e9);
  const table = { values: a, rows: ROWS, features: 1 };
  const model = await grown('random-forest', { ...table, targets }, { n_estimators: 100, bootstrap: true });
  const said = predict(model, table);
  const mean = targets.reduce((sum, y) => sum + y, 0) / ROWS;
  const squares = (of: (i: number) => number): number => targets.reduce((sum, _, i) => sum + of(i) ** 2, 0);
  const r2 = 1 - squares((i) => targets[i]! - said[i]!) / squares((i) => targets[i]! - mean);
  expect(r2).toBeGreaterThan(0.98);
});
