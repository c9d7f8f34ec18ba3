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
  const best = bestCut(new Ranking(positive, scores), positives, rule);
  return best && cutoffAt(best.threshold, best.hits, best.alarms, positives, negatives);
}

interface Cut {
  threshold: number;
  hits: number;
  alarms: number;
}

/** @param kept see `Ranking.eachCut` */
function bestCut(
  ranking: Ranking,
  positives: number,
  rule: ThresholdRule,
  kept?: (row: number) => boolean,
): Cut | undefined {
  let most = -Infinity;
  let best: Cut | undefined;
  ranking.eachCut((hits, alarms, threshold) => {
    const worth = worthOf(hits, alarms, positives, rule);
    if (worth <= most) return;
    most = worth;
    best = { threshold, hits, alarms };
  }, kept);
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
  const fold = foldsOf(positive, seed);
  if (fold === undefined) return undefined;
  const positives = positive.reduce((sum, one) => sum + one, 0);
  const ranking = new Ranking(positive, scores);
  const chosen = bestCut(ranking, positives, rule);
  if (chosen === undefined) return undefined;
  let hits = 0;
  let alarms = 0;
  for (let held = 0; held < FOLDS; held++) {
    const [othersPositive, others] = countOthers(positive, fold, held);
    const cut =
      othersPositive === 0 || othersPositive === others
        ? undefined
        : bestCut(ranking, othersPositive, rule, (row) => fold[row] !== held);
    const threshold = cut?.threshold ?? Infinity;
    for (let row = 0; row < scores.length; row++) {
      if (fold[row] !== held || scores[row]! < threshold) continue;
      if (positive[row] === 1) hits++;
      else alarms++;
    }
  }
  return cutoffAt(chosen.threshold, hits, alarms, positives, positive.length - positives);
}

/** Positive rows of the other folds, and all of them. */
function countOthers(positive: Uint8Array, fold: Uint8Array, held: number): [positives: number, all: number] {
  let positives = 0;
  let all = 0;
  for (let row = 0; row < fold.length; row++) {
    if (fold[row] === held) continue;
    all++;
    positives += positive[row]!;
  }
  return [positives, all];
}

/** `[n]` fold of each row; a class of fewer rows than folds leaves some of them without. */
function foldsOf(positive: Uint8Array, seed: number): Uint8Array | undefined {
  const fold = new Uint8Array(positive.length);
  for (const side of [0, 1]) {
    const rows = rowsOf(positive, side);
    if (rows.length < 2) return undefined;
    new Random(seed, side).shuffle(rows);
    for (let place = 0; place < rows.length; place++) fold[rows[place]!] = place % FOLDS;
  }
  return fold;
}

/** Rows of a class, rising. */
function rowsOf(positive: Uint8Array, side: number): Uint32Array {
  const rows = new Uint32Array(positive.length);
  let size = 0;
  for (let row = 0; row < positive.length; row++) if (positive[row] === side) rows[size++] = row;
  return rows.slice(0, size);
}

/** What a rule thinks of a cut-off: the more the better. */
function worthOf(hits: number, alarms: number, positives: number, rule: ThresholdRule): number {
  if ('maximize' in rule) return f1Of(hits, alarms, positives);
  if ('cost' in rule) {
    const { false_positive, false_negative } = rule.cost;
    return -(alarms * false_positive + (positives - hits) * false_negative);
  }
  // More than what is asked for is worth no more.
  return Math.min(hits / positives, rule.recall);
}

const f1Of = (hits: number, alarms: number, positives: number): number =>
  (2 * hits) / (hits + alarms + positives);

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
    f1: f1Of(hits, alarms, positives),
    truePositives: hits,
    falsePositives: alarms,
    falseNegatives: positives - hits,
    trueNegatives: negatives - alarms,
  };
}
