import type { Random } from '../../random/random';
import { thresholdBetween } from '../float32';
import type { FeatureBins } from './bins';

/** A cut between two neighbouring bins of those present in a node. */
export interface Cut {
  /** Index of the last bin on the left, in the list of bins present. */
  after: number;
  /** The value drawn, where it lies between the two bins; NaN: take the middle. */
  threshold: number;
}

/**
 * Draws a threshold uniformly between the smallest and the largest value of a node (Geurts, Ernst and Wehenkel,
 * "Extremely randomized trees", 2006), and finds the cut between bins that it makes.
 * @param present bins with rows in the node, in order; at least 2
 */
export function drawCut(present: Int32Array, size: number, bins: FeatureBins, random: Random): Cut {
  const low = bins.lowest[present[0]!]!;
  const high = bins.highest[present[size - 1]!]!;
  // Beyond the range of numbers there is no uniform draw between values, but there is one between bins.
  if (!Number.isFinite(high - low)) return { after: random.below(size - 1), threshold: NaN };
  const drawn = Math.fround(low + (high - low) * random.float());
  let after = 0;
  while (after < size - 2 && bins.lowest[present[after + 1]!]! <= drawn) after++;
  const between = drawn >= bins.highest[present[after]!]! && drawn < bins.lowest[present[after + 1]!]!;
  return { after, threshold: between ? drawn : NaN };
}

/**
 * Draws a threshold uniformly between the smallest and the largest of some values.
 * @param values `[size]` increasing, not all equal
 */
export function drawBetween(values: Float32Array, size: number, random: Random): number {
  const low = values[0]!;
  const high = values[size - 1]!;
  let last = size - 2;
  while (values[last] === high) last--;
  const drawn = Number.isFinite(high - low)
    ? Math.fround(low + (high - low) * random.float())
    : values[random.below(last + 1)]!;
  // Rounding may make it the largest value, which would leave nothing above.
  return Math.min(drawn, thresholdBetween(values[last]!, high));
}
