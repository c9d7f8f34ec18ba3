/** @jest-environment ./test/onnx-environment.cjs */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { TrainParams } from '../../../contracts/train-params';
import type { FeatureMatrix } from '../../../ml/dataset/matrix';
import { predict, type Model } from '../../../ml/model/model';
import { encodeOnnx } from '../../../ml/onnx/encode';
import { trainerFor } from '../../../ml/trainer/catalog';
import { classificationSet, regressionSet, SCORES } from '../forest/data-sets';
import { runOnnx } from '../onnx/runtime';
import { tableOf } from '../table';

const { logistic: EXPECTED } = JSON.parse(
  readFileSync(join(__dirname, '../../fixtures/forest/peers.json'), 'utf8'),
) as { logistic: Record<string, number[][]> };

const params = (algorithm: string, more: object = {}) =>
  TrainParams.parse({ algorithm, engine: 'histogram', ...more });

async function onnxGap(model: Model, table: FeatureMatrix): Promise<number> {
  const outputs = await runOnnx(
    encodeOnnx(model, {
      featureNames: Array.from({ length: model.features }, (_, f) => `f${f}`),
      classLabels: Array.from({ length: model.classes }, (_, k) => `class ${k}`),
      modelName: 'baseline',
    }),
    table,
  );
  const theirs = outputs[model.task === 'classification' ? 'probabilities' : 'prediction'];
  return predict(model, table).reduce((most, p, i) => Math.max(most, Math.abs(p - Number(theirs?.[i]))), 0);
}

test('majority answers with the shares of the classes', async () => {
  const table = { ...tableOf([[1], [2], [3], [4]], 1), labels: Uint32Array.of(0, 1, 1, 1), classes: 2 };
  const { model } = await trainerFor('majority', 'histogram').train(table, params('majority'));
  expect([...predict(model, table)].slice(0, 2)).toEqual([0.25, 0.75]);
  expect(await onnxGap(model, table)).toBeLessThan(1e-6);
});

test('mean answers with the mean', async () => {
  const { train, held } = regressionSet('diabetes');
  const { model } = await trainerFor('mean', 'histogram').train(train, params('mean'));
  const expected = train.targets.reduce((a, b) => a + b, 0) / train.rows;
  expect(predict(model, held)[0]).toBeCloseTo(expected, 3);
  expect(await onnxGap(model, held)).toBeLessThan(1e-4);
});

test.each(Object.keys(SCORES.classification))(
  'logistic regression has scikit-learn’s probabilities on %s',
  async (name) => {
    const { train, held } = classificationSet(name);
    const { model } = await trainerFor('logistic-regression', 'histogram').train(
      train,
      params('logistic-regression'),
    );
    const ours = predict(model, held);
    const theirs = (EXPECTED[name] ?? []).flat();
    expect(ours).toHaveLength(theirs.length);
    ours.forEach((p, i) => expect(Math.abs(p - (theirs[i] ?? NaN))).toBeLessThan(2e-4));
    expect(await onnxGap(model, held)).toBeLessThan(2e-6);
  },
);

test('logistic regression of two classes is at the minimum after a few steps, also of separable rows', async () => {
  const overlap = Array.from({ length: 5000 }, (_, i) => [Math.sin(i), Math.cos(3 * i), (i * 37) % 100]);
  const labels = Uint32Array.from(overlap, ([a = 0], i) => Number(a + Math.sin(17 * i) > 0));
  for (const split of [labels, Uint32Array.from(overlap, ([a = 0]) => Number(a > 0))]) {
    let steps = 0;
    const { model } = await trainerFor('logistic-regression', 'histogram').train(
      { ...tableOf(overlap, 3), labels: split, classes: 2 },
      params('logistic-regression'),
      { onProgress: (done) => (steps = done) },
    );
    expect(steps).toBeLessThan(20);
    // At the minimum the bias has no slope: as many of class 1 are expected as there are.
    const expected = predict(model, tableOf(overlap, 3)).reduce(
      (sum, p, i) => sum + (i % 2 === 1 ? p : 0),
      0,
    );
    expect(expected).toBeCloseTo(
      split.reduce((sum, label) => sum + label, 0),
      1,
    );
  }
});

test('logistic regression takes missing, constant and infinite values', async () => {
  const rows = Array.from({ length: 40 }, (_, i) => [i % 5 === 0 ? NaN : i, 7, i === 3 ? Infinity : -i]);
  const table = { ...tableOf(rows, 3), labels: Uint32Array.from(rows, (_, i) => Number(i > 19)), classes: 2 };
  const { model } = await trainerFor('logistic-regression', 'histogram').train(
    table,
    params('logistic-regression'),
  );
  const predicted = predict(model, table);
  expect(predicted.every((p) => p >= 0 && p <= 1)).toBe(true);
  expect(await onnxGap(model, table)).toBeLessThan(1e-6);
});

test.each([
  [
    'majority',
    regressionSet('diabetes').train,
    'params.yaml: train.algorithm majority is for task classification, got the other one',
  ],
  [
    'mean',
    classificationSet('iris').train,
    'params.yaml: train.algorithm mean is for task regression, got the other one',
  ],
] as const)('%s refuses the other task', async (algorithm, table, message) => {
  const training = trainerFor(algorithm, 'histogram').train(table, params(algorithm));
  await expect(training).rejects.toMatchObject({ code: 'CONFIG_INVALID', message });
});
