import { type Metrics } from '../../contracts/stage';

/** What a classifier answered, before anybody knows what is true. */
export interface Answered {
  /**
   * `[m]` what it said: of the positive class, where there are two; else of the class that it answered.
   */
  scores: Float64Array;
  /** `[m]` 1 where it answered the positive class; null: there are more than two classes. */
  positive: Uint8Array | null;
}

/**
 * The metrics that answers are expected to have, if the chances are right: confidence-based performance estimation (CBPE), as NannyML
 * defines it (https://nannyml.readthedocs.io, "How it works: performance estimation"). Each row counts as true in the share of its
 * chance: an expected confusion matrix, and an area under a curve of expected counts. Of more than two classes the accuracy is known, as
 * the mean chance of the answered class; the rest would need the chances of all.
 *
 * @param chances `[m]` calibrated: of the positive class, or of the answered one
 * @param weights `[m]`; absent: 1 each
 */
export function expectedMetrics(
  { scores, positive }: Answered,
  chances: Float64Array,
  order: Uint32Array,
  weights?: Float64Array,
): Metrics {
  const weightOf = (row: number): number => (weights === undefined ? 1 : weights[row]!);
  let [total, right] = [0, 0];
  if (positive === null) {
    for (let row = 0; row < chances.length; row++) {
      total += weightOf(row);
      right += weightOf(row) * chances[row]!;
    }
    return total === 0 ? {} : { accuracy: right / total };
  }
  let [claimedTrue, claimed, positives] = [0, 0, 0];
  for (let row = 0; row < chances.length; row++) {
    const [weight, chance] = [weightOf(row), chances[row]!];
    total += weight;
    positives += weight * chance;
    if (positive[row] === 1) {
      claimed += weight;
      claimedTrue += weight * chance;
      right += weight * chance;
    } else right += weight * (1 - chance);
  }
  if (total === 0) return {};
  const ratio = (part: number, whole: number): number => (whole === 0 ? 0 : part / whole);
  return {
    accuracy: right / total,
    f1_score: ratio(2 * claimedTrue, claimed + positives),
    precision: ratio(claimedTrue, claimed),
    recall: ratio(claimedTrue, positives),
    ...area(scores, chances, order, weightOf, total, positives),
  };
}

/** Row numbers by falling score, for `expectedMetrics`. */
export function byFallingScore(scores: Float64Array): Uint32Array {
  return Uint32Array.from(scores.keys()).sort((a, b) => scores[b]! - scores[a]!);
}

/** Chance that a row that came true has a higher score than one that did not, equals counting half. */
function area(
  scores: Float64Array,
  chances: Float64Array,
  order: Uint32Array,
  weightOf: (row: number) => number,
  total: number,
  positives: number,
): Metrics {
  const pairs = positives * (total - positives);
  if (!(pairs > 0)) return {};
  let [won, above] = [0, 0];
  for (let at = 0; at < order.length;) {
    const score = scores[order[at]!]!;
    let [trues, falses] = [0, 0];
    for (; at < order.length && scores[order[at]!] === score; at++) {
      const row = order[at]!;
      trues += weightOf(row) * chances[row]!;
      falses += weightOf(row) * (1 - chances[row]!);
    }
    won += falses * (above + trues / 2);
    above += trues;
  }
  return { roc_auc: won / pairs };
}
