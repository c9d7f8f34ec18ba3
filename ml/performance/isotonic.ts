import { sortNumbers } from '../dataset/sort-numbers';

/** A rising line through points: probability by score. */
export interface Calibrator {
  /** `[k]` rising. */
  scores: Float64Array;
  /** `[k]` never falling, 0 to 1. */
  chances: Float64Array;
}

/** Rows by their score, made once for any number of fits. */
export interface CalibrationRows {
  /** `[k]` the scores that occur, rising. */
  scores: Float64Array;
  /** `[n]` place of each row's score among them. */
  places: Uint32Array;
  /** `[n]` 1 where it came true, else 0. */
  outcomes: Uint8Array;
}

/**
 * @param scores `[n]` what the model said, 0 to 1
 * @param outcomes `[n]` 1 where it came true, else 0
 */
export function calibrationRows(scores: Float64Array, outcomes: Uint8Array): CalibrationRows {
  const distinct = sortNumbers(Float64Array.from(new Set(scores)));
  const placeOf = new Map(Array.from(distinct, (score, place) => [score, place]));
  return { scores: distinct, places: Uint32Array.from(scores, (score) => placeOf.get(score)!), outcomes };
}

/**
 * Isotonic regression by pooling neighbours that fall (Ayer and others, 1955): the chance that comes nearest to the outcomes, in squares,
 * among all that never fall with the score. Equal scores are one point, and between points it is linear, as in scikit-learn's
 * `IsotonicRegression(out_of_bounds='clip')`.
 *
 * @param weights `[n]`; absent: 1 each. Rows of no weight leave no point.
 */
export function fitCalibrator(
  { scores, places, outcomes }: CalibrationRows,
  weights?: Float64Array,
): Calibrator {
  const total = new Float64Array(scores.length);
  const hits = new Float64Array(scores.length);
  for (let row = 0; row < places.length; row++) {
    const weight = weights === undefined ? 1 : weights[row]!;
    total[places[row]!]! += weight;
    hits[places[row]!]! += weight * outcomes[row]!;
  }
  const kept = Uint32Array.from(scores.keys()).filter((place) => total[place]! > 0);
  // Blocks of equal chance: where each ends, its weight and its hits.
  const [ends, weight, hit] = [[] as number[], [] as number[], [] as number[]];
  kept.forEach((place, index) => {
    ends.push(index + 1);
    weight.push(total[place]!);
    hit.push(hits[place]!);
    while (ends.length > 1 && hit.at(-2)! * weight.at(-1)! >= hit.at(-1)! * weight.at(-2)!) {
      const [lastWeight, lastHit, end] = [weight.pop()!, hit.pop()!, ends.pop()!];
      weight[weight.length - 1]! += lastWeight;
      hit[hit.length - 1]! += lastHit;
      ends[ends.length - 1] = end;
    }
  });
  const chances = new Float64Array(kept.length);
  ends.forEach((end, block) =>
    chances.fill(hit[block]! / weight[block]!, block === 0 ? 0 : ends[block - 1], end),
  );
  return { scores: Float64Array.from(kept, (place) => scores[place]!), chances };
}

/** The chance that belongs to each score `[m]`; beyond the points it is that of the nearest. */
export function calibrated({ scores, chances }: Calibrator, asked: Float64Array): Float64Array {
  return asked.map((score) => {
    let [low, high] = [0, scores.length];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (scores[middle]! < score) low = middle + 1;
      else high = middle;
    }
    if (low === scores.length) return chances.at(-1) ?? Number.NaN;
    if (low === 0 || scores[low] === score) return chances[low]!;
    const share = (score - scores[low - 1]!) / (scores[low]! - scores[low - 1]!);
    return chances[low - 1]! + share * (chances[low]! - chances[low - 1]!);
  });
}
