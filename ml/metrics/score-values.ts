import { type Scores } from '../../contracts/stage';
import { Random } from '../random/random';
import { regressionScores } from './regression';

/** Points of the plot of true against predicted values. */
const MAX_PAIRS = 500;

/**
 * All scores of a regression, and a seeded sample of its predictions.
 *
 * @param truth `[n]`, in the target's unit.
 * @param predicted `[n]`
 * @param seed of the sample
 */
export function scoreValues(truth: Float64Array, predicted: Float64Array, seed: number): Scores {
  const rows = new Random(seed).shuffle(Uint32Array.from(truth, (_, row) => row)).subarray(0, MAX_PAIRS);
  return {
    metrics: regressionScores(truth, predicted),
    perClass: [],
    confusion: [],
    pairs: Array.from(rows, (row) => [truth[row] ?? 0, predicted[row] ?? 0]),
  };
}
