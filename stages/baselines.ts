import { type PreprocessParams } from '../contracts/params';
import { type Baseline, type InputColumn, type TableSchema } from '../contracts/stage';
import { type Algorithm, TrainParams } from '../contracts/train-params';
import { type FeatureMatrix } from '../ml/dataset/matrix';
import { prepareMatrix, preparedNames } from '../ml/dataset/prepare';
import { columnOf, type RawTable, takeRows } from '../ml/dataset/raw-table';
import { classNumbers } from '../ml/forest/predict';
import { type LinearModel, predictLinear } from '../ml/linear/linear-model';
import { predict } from '../ml/model/model';
import {
  lagColumns,
  type Lags,
  movingAverage,
  predictMovingAverage,
} from '../ml/moving-average/moving-average';
import { logisticRegression, majority, mean } from '../ml/trainer/baselines';
import { Random } from '../ml/random/random';
import { type Scored } from '../ml/scoring/scoring-table';

/** Rows × features × outputs of a logistic regression: it goes over them some hundred times, a second at the most. */
const MOST_WORK = 500_000;

/** A straight line is not told better by more rows than these. */
const MOST_ROWS = 20_000;

/** A straight line through fewer rows than these, of many, is not worth showing. */
const LEAST_ROWS = 1000;

/** What preprocess knows of its table. */
export interface LearnedTable {
  table: RawTable;
  inputs: readonly InputColumn[];
  target: string;
  /** `[n]` class numbers; null for regression. */
  numbers: Uint32Array | null;
  classes: readonly string[];
}

/**
 * Learns from the training rows what any model must be better than: the most frequent class and a logistic regression,
 * or the mean. A large table's logistic regression is fitted to a seeded sample of its rows; a very wide one gets none.
 *
 * @param trainRows `[n]`
 */
export async function fitBaselines(
  { table, inputs, target, numbers, classes }: LearnedTable,
  trainRows: Uint32Array,
  { seed, baseline }: Pick<PreprocessParams, 'seed' | 'baseline'>,
): Promise<Baseline[]> {
  if (numbers === null) {
    const column = columnOf(table, target);
    const values = column.kind === 'number' ? column.values : new Float64Array();
    const targets = Float32Array.from(trainRows, (row) => values[row] ?? Number.NaN);
    const { model } = await mean.train({ ...ONE_ZERO, rows: targets.length, targets }, params('mean'));
    return [
      { algorithm: 'mean', value: predict(model, ONE_ZERO)[0] ?? 0 },
      ...averageOf(baseline, preparedNames(inputs), targets),
    ];
  }
  const labels = Uint32Array.from(trainRows, (row) => numbers[row] ?? 0);
  const constant = await majority.train(
    { ...ONE_ZERO, rows: labels.length, labels, classes: classes.length },
    params('majority'),
  );
  const shares: Baseline = { algorithm: 'majority', shares: [...predict(constant.model, ONE_ZERO)] };
  const features = preparedNames(inputs).length;
  const sampled = logisticRows(trainRows.length, features, classes.length);
  if (sampled === 0) return [shares];
  const rows =
    sampled === trainRows.length
      ? trainRows
      : new Random(seed).shuffle(trainRows.slice()).subarray(0, sampled).sort();
  const sample = takeRows(table, rows);
  const { model } = await logisticRegression.train(
    {
      ...prepareMatrix(sample.columns, sample.rows, inputs),
      labels: Uint32Array.from(rows, (row) => numbers[row] ?? 0),
      classes: classes.length,
    },
    params('logistic-regression'),
  );
  return [
    shares,
    {
      algorithm: 'logistic-regression',
      rows: sampled,
      mean: [...model.mean],
      scale: [...model.scale],
      weights: [...model.weights],
      bias: [...model.bias],
    },
  ];
}

/** The moving average that params ask for. */
function averageOf(
  baseline: PreprocessParams['baseline'],
  features: readonly string[],
  targets: Float32Array,
): Baseline[] {
  if (baseline === undefined) return [];
  const lags: Lags = { lags: baseline.lags ?? [], window: baseline.window };
  const columns = lagColumns(lags, features, 'preprocess.baseline');
  const { fallback } = movingAverage(columns, features.length, targets);
  return [{ algorithm: 'moving-average', lags: Array.from(columns, (at) => features[at] ?? ''), fallback }];
}

/** A row to ask a constant model about. */
const ONE_ZERO: FeatureMatrix = { values: new Float32Array(1), rows: 1, features: 1 };

const params = (algorithm: Algorithm): TrainParams => TrainParams.parse({ algorithm });

/** How many training rows the logistic regression is fitted to; 0: none. */
function logisticRows(rows: number, features: number, classes: number): number {
  const outputs = classes === 2 ? 1 : classes;
  const most = Math.min(rows, MOST_ROWS, Math.floor(MOST_WORK / (features * outputs)));
  return most < Math.min(rows, LEAST_ROWS) ? 0 : most;
}

/** What a baseline says of prepared rows. */
export function askBaseline(
  baseline: Baseline,
  matrix: FeatureMatrix,
  { classes, features }: Pick<TableSchema, 'classes' | 'features'>,
): Scored {
  const { rows } = matrix;
  if (baseline.algorithm === 'moving-average') {
    const { lags, fallback } = baseline;
    const columns = lagColumns({ lags }, features, 'preprocess.baseline');
    const model = { ...movingAverage(columns, features.length, []), fallback };
    return { labels: null, probabilities: null, values: predictMovingAverage(model, matrix) };
  }
  if (baseline.algorithm === 'mean') {
    return { labels: null, probabilities: null, values: new Float64Array(rows).fill(baseline.value) };
  }
  const probabilities =
    baseline.algorithm === 'majority'
      ? repeated(baseline.shares, rows)
      : predictLinear(linearModel(baseline, matrix.features, classes.length), matrix);
  const labels = Array.from(classNumbers(probabilities, classes.length), (k) => classes[k] ?? '');
  return { labels, probabilities, values: null };
}

function repeated(row: readonly number[], rows: number): Float64Array {
  const all = new Float64Array(rows * row.length);
  for (let i = 0; i < rows; i++) all.set(row, i * row.length);
  return all;
}

function linearModel(
  { mean: means, scale, weights, bias }: Baseline & { algorithm: 'logistic-regression' },
  features: number,
  classes: number,
): LinearModel {
  return {
    kind: 'linear',
    task: 'classification',
    features,
    classes,
    outputs: bias.length,
    mean: Float32Array.from(means),
    scale: Float32Array.from(scale),
    weights: Float32Array.from(weights),
    bias: Float32Array.from(bias),
    link: bias.length === 1 ? 'sigmoid' : 'softmax',
  };
}
