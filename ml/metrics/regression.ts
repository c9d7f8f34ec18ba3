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
  const n = truth.length;
  const error = (i: number): number => (truth[i] ?? 0) - (predicted[i] ?? 0);
  const mean = weightedMean(n, weights, (i) => truth[i] ?? 0);
  const squared = weightedMean(n, weights, (i) => error(i) ** 2);
  const variance = weightedMean(n, weights, (i) => ((truth[i] ?? 0) - mean) ** 2);
  return {
    r2: variance === 0 ? (squared === 0 ? 1 : 0) : 1 - squared / variance,
    mae: weightedMean(n, weights, (i) => Math.abs(error(i))),
    rmse: Math.sqrt(squared),
  };
}
