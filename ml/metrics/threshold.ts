import { Random } from '../random/random';
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
  new Ranking(positive, scores).eachCut((hits, alarms, threshold) => {
    const cutoff = cutoffAt(threshold, hits, alarms, positives, negatives);
    if (best === undefined || isBetter(cutoff, best, rule)) best = cutoff;
  });
  return best;
}

const FOLDS = 5;

/**
 * Chooses a cut-off on all rows, and tells what to expect of it on others: a cut-off looks too good on the rows that it was
 * chosen on, so each fold is judged by the one that the other folds choose, and the counts are summed. Folds are
 * drawn by a seed, each with its share of both classes. Undefined when a class has fewer than 2 rows.
 *
 * @param positive `[n]` 1 for the positive class, else 0.
 * @param scores `[n]` probability of the positive class.
 */
export function crossFitThreshold(
  positive: Uint8Array,
  scores: Float64Array,
  rule: ThresholdRule,
  seed: number,
): Cutoff | undefined {
  const chosen = chooseThreshold(positive, scores, rule);
  const fold = foldsOf(positive, seed);
  if (chosen === undefined || fold === undefined) return undefined;
  const positives = positive.reduce((sum, one) => sum + one, 0);
  let hits = 0;
  let alarms = 0;
  for (let held = 0; held < FOLDS; held++) {
    const others = <T extends Uint8Array | Float64Array>(values: T): T =>
      values.filter((_, row) => fold[row] !== held) as T;
    const { threshold = Infinity } = chooseThreshold(others(positive), others(scores), rule) ?? {};
    for (const [row, score] of scores.entries()) {
      if (fold[row] !== held || score < threshold) continue;
      if (positive[row] === 1) hits++;
      else alarms++;
    }
  }
  return cutoffAt(chosen.threshold, hits, alarms, positives, positive.length - positives);
}

/** `[n]` fold of each row; a class of fewer rows than folds leaves some of them without. */
function foldsOf(positive: Uint8Array, seed: number): Uint8Array | undefined {
  const fold = new Uint8Array(positive.length);
  for (const side of [0, 1]) {
    const rows = Uint32Array.from(positive.keys()).filter((row) => positive[row] === side);
    if (rows.length < 2) return undefined;
    for (const [place, row] of new Random(seed, side).shuffle(rows).entries()) fold[row] = place % FOLDS;
  }
  return fold;
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
    precision: hits + alarms === 0 ? 0 : hits / (hits + alarms),
    recall: hits / positives,
    f1: (2 * hits) / (hits + alarms + positives),
    truePositives: hits,
    falsePositives: alarms,
    falseNegatives: positives - hits,
    trueNegatives: negatives - alarms,
  };
}
