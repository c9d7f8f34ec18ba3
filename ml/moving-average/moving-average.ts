import { listed, RetrainError } from '../../contracts/errors';
import { nearest } from '../../contracts/nearest';
import type { FeatureMatrix } from '../dataset/matrix';

/** The mean of some columns of a row, those left out that are missing; where all are, always the same number. */
export interface MovingAverage {
  kind: 'moving-average';
  task: 'regression';
  /** d */
  features: number;
  classes: 0;
  /** `[w]` which columns are averaged, from 0. */
  columns: Int32Array;
  /** What a row says that has none of them, in the target's unit; a float32. */
  fallback: number;
}

/** Which columns are averaged, as params.yaml says it. */
export interface Lags {
  /** Names of columns, the newest first. */
  lags: readonly string[];
  /** How many of them, from the first. */
  window?: number | undefined;
}

/**
 * Places of the columns among the features.
 *
 * @param key that holds them, for messages: `train`
 * @throws RetrainError CONFIG_INVALID for a name that no feature has
 */
export function lagColumns(
  { lags, window = lags.length }: Lags,
  features: readonly string[],
  key: string,
): Int32Array {
  return Int32Array.from(lags.slice(0, window), (name) => {
    const at = features.indexOf(name);
    if (at !== -1) return at;
    const guess = nearest(name, features);
    throw new RetrainError(
      'CONFIG_INVALID',
      `params.yaml: ${key}.lags: there is no feature ${JSON.stringify(name)}; the features are ${listed(features, 20)}${guess === undefined ? '' : `; did you mean "${guess}"?`}`,
    );
  });
}

/**
 * The mean of targets that stands in where a row has no lag.
 *
 * @param targets `[n]`, in the target's unit
 */
export function movingAverage(
  columns: Int32Array,
  features: number,
  targets: ArrayLike<number>,
): MovingAverage {
  let sum = 0;
  for (let i = 0; i < targets.length; i++) sum += targets[i]!;
  const fallback = Math.fround(targets.length === 0 ? 0 : sum / targets.length);
  return { kind: 'moving-average', task: 'regression', features, classes: 0, columns, fallback };
}

/**
 * Predicts all rows of a table `[n, d]`: `[n]` values.
 *
 * @throws RetrainError MODEL_INVALID when the table is not d wide
 */
export function predictMovingAverage(model: MovingAverage, table: FeatureMatrix): Float64Array {
  if (table.features !== model.features) {
    throw new RetrainError(
      'MODEL_INVALID',
      `rows have ${table.features} features, the model takes ${model.features}: give it the columns that it was trained on, in their order`,
    );
  }
  const { values, rows } = table;
  const said = new Float64Array(rows);
  for (let i = 0; i < rows; i++) {
    let sum = 0;
    let count = 0;
    for (const column of model.columns) {
      const value = values[column * rows + i]!;
      if (Number.isNaN(value)) continue;
      // In float32, as an ONNX runtime adds.
      sum = Math.fround(sum + value);
      count++;
    }
    said[i] = count === 0 ? model.fallback : Math.fround(sum / count);
  }
  return said;
}
