/** Class probabilities `[n, K]`, row-major. */
export interface Probabilities {
  values: Float64Array;
  classes: number;
}

/** Where a probability of 0 would make the logarithm infinite: float64's epsilon, as in scikit-learn. */
const EPSILON = 2 ** -52;

/**
 * -log(probability of the true class) of each row; its mean is the log loss, 0 is perfect.
 *
 * @param truth `[n]` class numbers.
 */
export function logLosses(truth: Uint32Array, { values, classes }: Probabilities): Float64Array {
  // Loops, here and below: `from` with a function goes by an iterator, ten times as slow.
  const losses = new Float64Array(truth.length);
  for (let i = 0; i < truth.length; i++) {
    const p = values[i * classes + truth[i]!] ?? 0;
    losses[i] = -Math.log(Math.min(Math.max(p, EPSILON), 1 - EPSILON));
  }
  return losses;
}

/**
 * Squared difference between probabilities and outcomes of each row, summed over the classes; for two classes of the
 * positive class alone, so from 0 to 1. Its mean is the Brier score, as scikit-learn's `brier_score_loss`.
 */
export function brierLosses(truth: Uint32Array, { values, classes }: Probabilities): Float64Array {
  const scale = classes === 2 ? 0.5 : 1;
  const losses = new Float64Array(truth.length);
  for (let i = 0; i < truth.length; i++) {
    const label = truth[i]!;
    let sum = 0;
    for (let k = 0; k < classes; k++) sum += ((values[i * classes + k] ?? 0) - (label === k ? 1 : 0)) ** 2;
    losses[i] = scale * sum;
  }
  return losses;
}

/** One bin of a calibration table. */
export interface CalibrationBin {
  /** Mean of the probabilities in the bin. */
  predicted: number;
  /** Share of positive rows in it. */
  observed: number;
  rows: number;
}

/**
 * Calibration of one class's probabilities in bins of equal width over 0 … 1; empty bins are left out. A value on
 * an edge belongs to the bin below, as in scikit-learn's `calibration_curve`.
 */
export function calibration(positive: Uint8Array, scores: Float64Array, bins = 10): CalibrationBin[] {
  const table = Array.from({ length: bins }, () => ({ predicted: 0, observed: 0, rows: 0 }));
  const width = 1 / bins;
  for (const [i, score] of scores.entries()) {
    let at = Math.min(bins - 1, Math.max(0, Math.floor(score * bins)));
    while (at > 0 && score <= at * width) at--;
    while (at < bins - 1 && score > (at + 1) * width) at++;
    const bin = table[at];
    if (bin === undefined) continue;
    bin.predicted += score;
    bin.observed += positive[i] ?? 0;
    bin.rows++;
  }
  return table
    .filter(({ rows }) => rows > 0)
    .map(({ predicted, observed, rows }) => ({
      predicted: predicted / rows,
      observed: observed / rows,
      rows,
    }));
}

/** @param weights `[n]`; absent: 1 each. */
export function weightedMean(values: Float64Array, weights?: ArrayLike<number>): number {
  let sum = 0;
  let total = 0;
  for (let i = 0; i < values.length; i++) {
    const weight = weights === undefined ? 1 : (weights[i] ?? 0);
    sum += weight * (values[i] ?? 0);
    total += weight;
  }
  return sum / total;
}
