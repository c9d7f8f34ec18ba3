import { Ranking } from './ranking';

/** How a cut-off is chosen. */
export type ThresholdRule =
  | { maximize: 'f1' }
  /** Least expected cost, in the user's unit, of wrong answers. */
  | { cost: { false_positive: number; false_negative: number } }
  /** The highest cut-off that still finds this share of the positive rows. */
  | { recall: number };

/** What happens at a cut-off: scores at or above it count as positive. */
export interface Cutoff {
  threshold: number;
  precision: number;
  recall: number;
  f1: number;
  truePositives: number;
  falsePositives: number;
  falseNegatives: number;
  trueNegatives: number;
}

/**
 * Chooses a cut-off among the scores that occur; the highest of equals. Undefined when one class does not occur.
 *
 * @param positive `[n]` 1 for the positive class, else 0.
 * @param scores `[n]` probability of the positive class.
 */
export function chooseThreshold(
  positive: Uint8Array,
  scores: Float64Array,
  rule: ThresholdRule,
): Cutoff | undefined {
  const positives = positive.reduce((sum, one) => sum + one, 0);
  if (positives === 0 || positives === positive.length) return undefined;
  const negatives = positive.length - positives;
  let best: Cutoff | undefined;
  for (const { x, y, threshold } of new Ranking(positive, scores).rocCurve()) {
    if (!Number.isFinite(threshold)) continue;
    const cutoff = cutoffAt(
      threshold,
      Math.round(y * positives),
      Math.round(x * negatives),
      positives,
      negatives,
    );
    if (best === undefined || isBetter(cutoff, best, rule)) best = cutoff;
  }
  return best;
}

function isBetter(one: Cutoff, other: Cutoff, rule: ThresholdRule): boolean {
  if ('maximize' in rule) return one.f1 > other.f1;
  if ('cost' in rule) {
    const { false_positive, false_negative } = rule.cost;
    const cost = (at: Cutoff): number =>
      at.falsePositives * false_positive + at.falseNegatives * false_negative;
    return cost(one) < cost(other);
  }
  return other.recall < rule.recall && one.recall > other.recall;
}

function cutoffAt(
  threshold: number,
  hits: number,
  alarms: number,
  positives: number,
  negatives: number,
): Cutoff {
  return {
    threshold,
    precision: hits / (hits + alarms),
    recall: hits / positives,
    f1: (2 * hits) / (hits + alarms + positives),
    truePositives: hits,
    falsePositives: alarms,
    falseNegatives: positives - hits,
    trueNegatives: negatives - alarms,
  };
}
