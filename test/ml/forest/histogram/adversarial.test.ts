import { TrainParams } from '../../../../contracts/params';
import type { LabelledMatrix, ValuedMatrix } from '../../../../ml/dataset/matrix';
import type { Forest } from '../../../../ml/forest/forest';
import { predictBatch } from '../../../../ml/forest/predict';
import { Random } from '../../../../ml/random/random';
import { histogramForest } from '../../../../ml/trainer/histogram-forest';
import { tableOf } from '../../table';

async function train(table: LabelledMatrix | ValuedMatrix, more: object = {}): Promise<Forest> {
  const params = TrainParams.parse({ engine: 'histogram', n_estimators: 10, ...more });
  const { model } = await histogramForest.train(table, params, { threads: 0 });
  return model;
}

function labelled(rows: number[][], labels: number[], classes = 2): LabelledMatrix {
  return { ...tableOf(rows, rows[0]?.length ?? 0), labels: Uint32Array.from(labels), classes };
}

test('constant columns and all-missing columns make a forest of shares', async () => {
  const table = labelled(
    [
      [1, NaN],
      [1, NaN],
      [1, NaN],
      [1, NaN],
    ],
    [0, 0, 0, 1],
  );
  const model = await train(table, { bootstrap: false });
  expect([...predictBatch(model, table)].slice(0, 2)).toEqual([0.75, 0.25]);
  for (const tree of model.trees) expect(tree.feature).toHaveLength(1);
});

test('an all-missing column beside a useful one does no harm', async () => {
  const table = labelled(
    Array.from({ length: 40 }, (_, i) => [NaN, i]),
    Array.from({ length: 40 }, (_, i) => (i < 20 ? 0 : 1)),
  );
  const predicted = predictBatch(await train(table), table);
  table.labels.forEach((label, i) => expect(predicted[2 * i + label]).toBeGreaterThan(0.5));
});

test('one row, and one class, are learned by heart', async () => {
  const one = labelled([[3, NaN]], [1], 3);
  expect([...predictBatch(await train(one), one)]).toEqual([0, 1, 0]);
  const same = labelled([[1], [2], [3]], [1, 1, 1]);
  expect([...predictBatch(await train(same), same)]).toEqual([0, 1, 0, 1, 0, 1]);
});

test('numbers past float32’s range, denormals and signed zeros are told apart where float32 can', async () => {
  const numbers = [-1e308, -3e38, -(2 ** -149), -0, 0, 2 ** -149, 2 ** -126, 3e38, 1e308];
  const labels = [0, 1, 0, 1, 1, 0, 1, 0, 1];
  const table = labelled(
    numbers.map((x) => [x]),
    labels,
  );
  const predicted = predictBatch(await train(table, { bootstrap: false, n_estimators: 1 }), table);
  labels.forEach((label, i) => expect(predicted[2 * i + label]).toBe(1));
});

test('a missing value goes where missing values went', async () => {
  const rows = Array.from({ length: 60 }, (_, i) => [i % 3 === 0 ? NaN : i]);
  const table = labelled(
    rows,
    rows.map(([x]) => (Number.isNaN(x) ? 1 : 0)),
  );
  const predicted = predictBatch(await train(table), table);
  table.labels.forEach((label, i) => expect(predicted[2 * i + label]).toBeGreaterThan(0.9));
});

test('10,000 features of 50 rows', async () => {
  const random = new Random(1);
  const labels = Array.from({ length: 50 }, (_, i) => i % 2);
  const rows = labels.map((label) =>
    Array.from({ length: 10_000 }, (_, f) => (f < 500 ? label : 0) + random.float()),
  );
  const table = labelled(rows, labels);
  const predicted = predictBatch(await train(table), table);
  labels.forEach((label, i) => expect(predicted[2 * i + label]).toBeGreaterThan(0.5));
});

test('5,000 classes are refused with the limit and the way out', async () => {
  const table = labelled(
    Array.from({ length: 5000 }, (_, i) => [i]),
    Array.from({ length: 5000 }, (_, i) => i),
    5000,
  );
  await expect(train(table)).rejects.toMatchObject({
    code: 'DATA_INVALID',
    message: 'the target has 5000 classes: expected at most 1000; if it is a number, set task: regression',
  });
});

test('a target that is no number is refused with its row', async () => {
  const table = { ...tableOf([[1], [2]], 1), targets: Float32Array.of(1, 1e308) };
  await expect(train(table)).rejects.toMatchObject({
    code: 'DATA_INVALID',
    message: 'training row 2 has the target Infinity: expected a finite float32',
  });
});

test('an empty table is refused', async () => {
  await expect(train(labelled([], []))).rejects.toMatchObject({
    code: 'DATA_INVALID',
    message: 'there are no training rows: expected at least 1',
  });
});

test('large targets keep their last digits', async () => {
  const table = {
    ...tableOf(
      Array.from({ length: 100 }, (_, i) => [i]),
      1,
    ),
    targets: Float32Array.from({ length: 100 }, (_, i) => 16_000_000 + i),
  };
  const predicted = predictBatch(await train(table, { bootstrap: false, n_estimators: 1 }), table);
  table.targets.forEach((target, i) => expect(predicted[i]).toBe(target));
});

test.each([
  [
    { criterion: 'squared_error' },
    'params.yaml: train.criterion does not fit the task; expected gini or entropy, got squared_error',
  ],
  [
    { max_features: 3 },
    'params.yaml: train.max_features must be a share below 1 or a whole number up to the 1 features there are, got 3',
  ],
  [
    { max_samples: 7 },
    'params.yaml: train.max_samples must be a share up to 1 or a whole number up to the 3 rows there are, got 7',
  ],
  [
    { bootstrap: false, oob_score: true },
    'params.yaml: train.oob_score needs rows that are left out: set bootstrap: true or max_samples below 1',
  ],
])('params that do not fit the table are refused: %j', async (more, message) => {
  await expect(train(labelled([[1], [2], [3]], [0, 1, 1]), more)).rejects.toMatchObject({
    code: 'CONFIG_INVALID',
    message,
  });
});
