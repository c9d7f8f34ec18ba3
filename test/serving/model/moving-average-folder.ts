import { type SignalRule } from '../../../contracts/signal';
import { type TableSchema } from '../../../contracts/stage';
import { TrainParams } from '../../../contracts/train-params';
import { prepareMatrix } from '../../../ml/dataset/prepare';
import { encodeOnnx } from '../../../ml/onnx/encode';
import { movingAverage } from '../../../ml/trainer/moving-average';
import { tableOf } from '../../ml/dataset/table-of';
import { layOut } from './model-folder';

const LAGS = ['price', 'price_lag_1', 'price_lag_2', 'price_lag_3'];
const WINDOW = 3;

export type PriceRow = Record<string, number | null>;

/** A moving average of prices, rows with every pattern of missing lags, and what a plain mean says of them. */
export async function movingAverageModel(signal?: SignalRule): Promise<{
  dir: string;
  rows: PriceRow[];
  expected: number[];
  schema: TableSchema;
}> {
  const rows = Array.from(
    { length: 48 },
    (_, i): PriceRow =>
      Object.fromEntries([
        ...LAGS.map((name, lag) => [
          name,
          (i >> lag) & 1 ? null : Math.fround(1 + ((i * 7 + lag * 3) % 11) / 3),
        ]),
        ['weekday', i % 7],
      ]) as PriceRow,
  );
  const names = [...LAGS, 'weekday'];
  const table = tableOf(
    Object.fromEntries(names.map((name) => [name, rows.map((row) => row[name] ?? null)])),
  );
  const inputs = names.map((name) => ({ kind: 'number' as const, name, min: null, max: null, impute: null }));
  const targets = Float32Array.from(rows, (_, i) => i / 4);
  const { model } = await movingAverage.train(
    { ...prepareMatrix(table.columns, table.rows, inputs), targets, names },
    TrainParams.parse({ algorithm: 'moving-average', lags: LAGS, window: WINDOW }),
  );
  const fallback = targets.reduce((a, b) => a + b, 0) / targets.length;
  const expected = rows.map((row) => {
    const there = LAGS.slice(0, WINDOW).flatMap((name) => row[name] ?? []);
    return there.length === 0 ? fallback : there.reduce((a, b) => a + b, 0) / there.length;
  });
  const schema: TableSchema = {
    ...{ task: 'regression', features: names, inputs, target: 'next_price', classes: [] },
    rows: { train: rows.length, test: 0 },
    example: [],
    rawExample: rows.slice(0, 5).map((row) => names.map((name) => row[name] ?? null)),
  };
  const onnx = encodeOnnx(model, {
    featureNames: names,
    inputs,
    classLabels: [],
    modelName: 'moving-average',
  });
  return { dir: layOut(schema, onnx, {}, signal), rows, expected, schema };
}
