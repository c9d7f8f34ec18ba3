/** @jest-environment ./test/onnx-environment.cjs */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { TrainParams } from '../../../contracts/train-params';
import type { FeatureMatrix } from '../../../ml/dataset/matrix';
import { predictBatch } from '../../../ml/forest/predict';
import { encodeOnnx } from '../../../ml/onnx/encode';
import { gradientBoosting } from '../../../ml/trainer/gradient-boosting';
import { classificationSet, regressionSet, SCORES } from '../forest/data-sets';
import { accuracy, rSquared } from '../forest/scores';
import { runOnnx } from '../onnx/runtime';

const { boosting: PEERS } = JSON.parse(
  readFileSync(join(__dirname, '../../fixtures/forest/peers.json'), 'utf8'),
) as { boosting: Record<string, { accuracy: number; log_loss: number; r2: number }[]> };

const params = (more: object = {}) =>
  TrainParams.parse({ algorithm: 'gradient-boosting', engine: 'histogram', ...more });

const names = (table: FeatureMatrix, classes: number) => ({
  featureNames: Array.from({ length: table.features }, (_, f) => `f${f}`),
  classLabels: Array.from({ length: classes }, (_, k) => `class ${k}`),
  modelName: 'boosted',
});

const worst = (name: string, metric: 'accuracy' | 'r2'): number =>
  Math.min(...(PEERS[name] ?? []).map((peer) => peer[metric]));

/** The real sets, and every fifth of the generated ones. */
const SETS = Object.keys(SCORES.classification).filter((name) => !/generated-\d*[1-46-9]$/.test(name));

test.each(SETS)('%s is learned as LightGBM or scikit-learn learns it', async (name) => {
  const { train, held } = classificationSet(name);
  const { model } = await gradientBoosting.train(train, params());
  const score = accuracy(predictBatch(model, held), held.labels, held.classes);
  // Binning and ties differ: a row in fifty may fall otherwise.
  expect(score).toBeGreaterThanOrEqual(worst(name, 'accuracy') - 0.02);
});

test.each(Object.keys(SCORES.regression))(
  '%s is learned as LightGBM or scikit-learn learns it',
  async (name) => {
    const { train, held } = regressionSet(name);
    const { model } = await gradientBoosting.train(train, params());
    expect(rSquared(predictBatch(model, held), held.targets)).toBeGreaterThanOrEqual(
      worst(name, 'r2') - 0.02,
    );
  },
);

test.each(['breast-cancer', 'iris'])('onnxruntime predicts %s the same', async (name) => {
  const { train, held } = classificationSet(name);
  const { model } = await gradientBoosting.train(train, params());
  const { probabilities } = await runOnnx(encodeOnnx(model, names(held, held.classes)), held);
  predictBatch(model, held).forEach((p, i) =>
    expect(Math.abs(p - Number(probabilities?.[i]))).toBeLessThan(1e-6),
  );
});

test('early stopping keeps the best round, and fewer trees', async () => {
  const { train, held } = classificationSet('breast-cancer');
  const options = { n_estimators: 500, early_stopping: true, validation_fraction: 0.2 };
  const rounds: number[] = [];
  const { model } = await gradientBoosting.train(train, params(options), {
    onProgress: (done) => rounds.push(done),
  });
  expect(model.trees.length).toBeLessThan(500);
  expect(rounds.at(-1)).toBe(model.trees.length + 10);
  expect(accuracy(predictBatch(model, held), held.labels, 2)).toBeGreaterThan(0.93);
});

test('the same table, params and seed give the same model file', async () => {
  const { train } = classificationSet('wine');
  const file = async (seed: number): Promise<Uint8Array> => {
    const { model } = await gradientBoosting.train(train, params({ seed, early_stopping: true }));
    return encodeOnnx(model, names(train, train.classes));
  };
  expect(await file(1)).toEqual(await file(1));
});

test('missing values go the way that lowers the loss', async () => {
  const values = Float32Array.from({ length: 200 }, (_, i) => (i % 4 === 0 ? NaN : i));
  const labels = Uint32Array.from(values, (v) => (Number.isNaN(v) ? 1 : 0));
  const table = { values, rows: 200, features: 1, labels, classes: 2 };
  const { model } = await gradientBoosting.train(table, params());
  expect(accuracy(predictBatch(model, table), labels, 2)).toBe(1);
});

test('it stops when it is told to', async () => {
  const stop = new AbortController();
  const training = gradientBoosting.train(classificationSet('iris').train, params(), {
    onProgress: (done) => {
      if (done === 2) stop.abort();
    },
    signal: stop.signal,
  });
  await expect(training).rejects.toMatchObject({
    code: 'RUN_CANCELLED',
    message: 'training was cancelled after 2 of 100 rounds',
  });
});
