/** @jest-environment ./test/onnx-environment.cjs */
import { TrainParams } from '../../../contracts/train-params';
import { movingAverage } from '../../../ml/trainer/moving-average';
import { openModel } from '../../../serving/model/open-model';
import { movingAverageModel } from './moving-average-folder';

test('a moving average that is served says what a plain mean of the lags says, whichever are missing', async () => {
  const { dir, rows, expected } = await movingAverageModel();
  const model = await openModel(dir);
  try {
    expect(model.task).toBe('regression');
    const read = model.read(rows);
    if (!('batch' in read)) throw new Error(JSON.stringify(read));
    const { values } = await model.score(read.batch);
    expect(values).toHaveLength(rows.length);
    for (const [i, value] of (values ?? new Float64Array()).entries()) {
      expect(Math.abs(value - (expected[i] ?? 0))).toBeLessThan(1e-6 * Math.max(1, expected[i] ?? 0));
    }
  } finally {
    await model.close();
  }
});

test('a lag that no feature is says which there are', async () => {
  const table = {
    ...{ values: new Float32Array(4), rows: 2, features: 2, targets: new Float32Array(2) },
    names: ['price', 'price_lag_1'],
  };
  const params = TrainParams.parse({ algorithm: 'moving-average', lags: ['price', 'price_lag_2'] });
  await expect(movingAverage.train(table, params)).rejects.toThrow(
    'params.yaml: train.lags: there is no feature "price_lag_2"; the features are price, price_lag_1; did you mean "price_lag_1"?',
  );
});
