import { orderByKey } from '../dataset/order-by-key';
import { fallingKeys } from '../dataset/number-keys';

/** One point of a curve; `threshold` is the least score that counts as positive there. */
export interface CurvePoint {
  x: number;
  y: number;
  threshold: number;
}

/**
 * Rows of two classes in order of their scores, sorted once; the areas can then be had again for any weights in
 * one pass, which is what the bootstrap does.
 */
export class Ranking {
  /** `[n]` row numbers by falling score. */
  readonly #order: Uint32Array;
  /** `[n]` 1 where the row at this place is the last of its equals. */
  readonly #ends: Uint8Array;

  /**
   * @param positive `[n]` 1 for the positive class, else 0.
   * @param scores `[n]` higher means more likely positive.
   */
  constructor(
    private readonly positive: Uint8Array,
    private readonly scores: Float64Array,
  ) {
    ({ order: this.#order, ends: this.#ends } = orderByKey(fallingKeys(scores)));
  }

  /**
   * Area under the ROC curve: the chance that a positive row scores above a negative one, equals counting half.
   * NaN when there is one class only.
   *
   * @param weights `[n]`; absent: 1 each.
   */
  rocAuc(weights?: ArrayLike<number>): number {
    return this.areas(weights).rocAuc;
  }

  /**
   * Average precision: Σ (recallᵢ - recallᵢ₋₁) · precisionᵢ, the area under the precision-recall curve without
   * interpolation, as scikit-learn's `average_precision_score`. NaN when no row is positive.
   */
  averagePrecision(weights?: ArrayLike<number>): number {
    return this.areas(weights).averagePrecision;
  }

  /** Both areas in one pass. */
  areas(weights?: ArrayLike<number>): { rocAuc: number; averagePrecision: number } {
    let area = 0;
    let sum = 0;
    let hits = 0;
    let alarms = 0;
    let lastHits = 0;
    let lastAlarms = 0;
    for (let i = 0; i < this.#order.length; i++) {
      const row = this.#order[i]!;
      const weight = weights === undefined ? 1 : weights[row]!;
      if (this.positive[row] === 1) hits += weight;
      else alarms += weight;
      if (this.#ends[i] === 0) continue;
      area += (alarms - lastAlarms) * (lastHits + hits);
      if (hits > lastHits) sum += ((hits - lastHits) * hits) / (hits + alarms);
      lastHits = hits;
      lastAlarms = alarms;
    }
    return { rocAuc: area / (2 * hits * alarms), averagePrecision: sum / hits };
  }

  /**
   * ROC curve from (0, 0) to (1, 1), a point per distinct score: x = false positive rate, y = recall.
   *
   * @param most points, as `thinned` chooses them
   */
  rocCurve(most = Infinity): CurvePoint[] {
    const points: CurvePoint[] = [];
    const isChosen = thinner(this.#cuts() + 1, most);
    if (isChosen(0)) points.push({ x: 0, y: 0, threshold: Infinity });
    const [positives, negatives] = this.#totals();
    this.#eachOf(isChosen, 1, (hits, alarms, threshold) => {
      points.push({ x: alarms / negatives, y: hits / positives, threshold });
    });
    return points;
  }

  /**
   * Precision-recall curve, a point per distinct score, falling: x = recall, y = precision.
   *
   * @param most points, as `thinned` chooses them
   */
  precisionRecallCurve(most = Infinity): CurvePoint[] {
    const points: CurvePoint[] = [];
    const [positives] = this.#totals();
    this.#eachOf(thinner(this.#cuts(), most), 0, (hits, alarms, threshold) => {
      points.push({ x: hits / positives, y: hits / (hits + alarms), threshold });
    });
    return points;
  }

  /** Visits the cuts that are chosen, the first being number `first`. */
  #eachOf(
    isChosen: (number: number) => boolean,
    first: number,
    visit: (hits: number, alarms: number, threshold: number) => void,
  ): void {
    let number = first;
    this.eachCut((hits, alarms, threshold) => {
      if (isChosen(number++)) visit(hits, alarms, threshold);
    });
  }

  #cuts(): number {
    return this.#ends.reduce((sum, one) => sum + one, 0);
  }

  /**
   * Calls `visit` with the true and false positives at and above each distinct score, from the top.
   *
   * @param kept which rows count; absent: all
   */
  eachCut(
    visit: (hits: number, alarms: number, threshold: number) => void,
    kept?: (row: number) => boolean,
  ): void {
    let hits = 0;
    let alarms = 0;
    let seen = false;
    for (let i = 0; i < this.#order.length; i++) {
      const row = this.#order[i]!;
      if (kept === undefined || kept(row)) {
        seen = true;
        if (this.positive[row] === 1) hits++;
        else alarms++;
      }
      if (!seen || this.#ends[i] === 0) continue;
      seen = false;
      visit(hits, alarms, this.scores[row]!);
    }
  }

  #totals(): [positives: number, negatives: number] {
    const positives = this.positive.reduce((sum, one) => sum + one, 0);
    return [positives, this.positive.length - positives];
  }
}

/** Points of a curve that anybody looks at. */
export const MOST_POINTS = 201;

/** At most `most` points of a curve, the first and the last included, evenly spread along it. */
export function thinned<T>(points: readonly T[], most = MOST_POINTS): T[] {
  const isChosen = thinner(points.length, most);
  return points.filter((_, number) => isChosen(number));
}

/** Which of so many points are among those that `thinned` chooses, asked from the first to the last. */
function thinner(points: number, most: number): (number: number) => boolean {
  if (points <= most) return () => true;
  const step = (points - 1) / (most - 1);
  let chosen = 0;
  return (number) => {
    if (number !== Math.round(chosen * step)) return false;
    chosen++;
    return true;
  };
}
