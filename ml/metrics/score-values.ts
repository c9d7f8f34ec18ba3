import { type Scores } from '../../contracts/stage';
import { Random } from '../random/random';
import { bootstrapIntervals, type BootstrapOptions } from './bootstrap';
import { regressionScores } from './regression';

/** Points of the plot of true against predicted values. */
const MAX_PAIRS = 500;

/**
 * All scores of a regression, and a seeded sample of its predictions.
 *
 * @param truth `[n]`, in the target's unit.
 * @param predicted `[n]`
 * @param bootstrap null: no intervals.
 */
export function scoreValues(
  truth: Float64Array,
  predicted: Float64Array,
  bootstrap: BootstrapOptions | null,
): Scores {
  const rows = new Random(bootstrap?.seed ?? 0)
    .shuffle(Uint32Array.from(truth, (_, row) => row))
    .subarray(0, MAX_PAIRS);
  return {
    metrics: regressionScores(truth, predicted),
    perClass: [],
    confusion: [],
    pairs: Array.from(rows, (row) => [truth[row] ?? 0, predicted[row] ?? 0]),
    ...(bootstrap === null || bootstrap.resamples === 0
      ? {}
      : {
          intervals: bootstrapIntervals(
            truth.length,
            (weights) => regressionScores(truth, predicted, weights),
            bootstrap,
          ),
        }),
  };
}
