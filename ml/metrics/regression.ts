import { type Metrics } from '../../contracts/stage';
import { weightedMean } from './probabilities';

/**
 * R², mean absolute error and root mean squared error, as scikit-learn's `r2_score` (of a constant truth: 1 when
 * met exactly, else 0), `mean_absolute_error` and `root_mean_squared_error`.
 *
 * @param truth `[n]`, in the target's unit.
 * @param predicted `[n]`
 * @param weights `[n]`; absent: 1 each.
 */
export function regressionScores(
  truth: Float64Array,
  predicted: Float64Array,
  weights?: ArrayLike<number>,
): Metrics {
  if (truth.length !== predicted.length) {
    throw new RangeError(`${truth.length} true values, but ${predicted.length} predictions`);
  }
  const errors = truth.map((value, i) => value - (predicted[i] ?? 0));
  const mean = weightedMean(truth, weights);
  const squared = weightedMean(
    errors.map((error) => error ** 2),
    weights,
  );
  const variance = weightedMean(
    truth.map((value) => (value - mean) ** 2),
    weights,
  );
  return {
    r2: variance === 0 ? (squared === 0 ? 1 : 0) : 1 - squared / variance,
    mae: weightedMean(errors.map(Math.abs), weights),
    rmse: Math.sqrt(squared),
  };
}
