/** Half a row in every bin, so that one that is empty on one side is no infinity (Jeffreys' prior). */
const SMOOTHING = 0.5;

/** `[k]` shares of counts, none of them zero. */
function smoothedShares(counts: Float64Array): Float64Array {
  let sum = 0;
  for (let i = 0; i < counts.length; i++) sum += counts[i]!;
  const whole = sum + SMOOTHING * counts.length;
  return counts.map((count) => (count + SMOOTHING) / whole);
}

/**
 * Population stability index of two histograms over the same bins: Σ (q - p) · ln(q / p), of smoothed shares. 0 where they are alike;
 * it knows no upper bound. The same both ways.
 *
 * @param reference `[k]` counts
 * @param current `[k]` counts
 */
export function populationStability(reference: Float64Array, current: Float64Array): number {
  const p = smoothedShares(reference);
  const q = smoothedShares(current);
  let sum = 0;
  for (let i = 0; i < p.length; i++) sum += (q[i]! - p[i]!) * Math.log(q[i]! / p[i]!);
  return sum;
}

/**
 * Jensen-Shannon distance of two histograms over the same bins, with logarithms to base 2: 0 for the same shares, 1 where nothing is
 * in common; the root of the divergence, as `scipy.spatial.distance.jensenshannon` gives it.
 *
 * @param reference `[k]` counts, not all zero
 * @param current `[k]` counts, not all zero
 */
export function jensenShannon(reference: Float64Array, current: Float64Array): number {
  const total = (counts: Float64Array): number => counts.reduce((sum, count) => sum + count, 0);
  const [all, every] = [total(reference), total(current)];
  let divergence = 0;
  for (let i = 0; i < reference.length; i++) {
    const p = reference[i]! / all;
    const q = current[i]! / every;
    const middle = (p + q) / 2;
    if (p > 0) divergence += (p * Math.log2(p / middle)) / 2;
    if (q > 0) divergence += (q * Math.log2(q / middle)) / 2;
  }
  // Rounding may leave it just below zero.
  return Math.sqrt(Math.max(0, divergence));
}

/**
 * First Wasserstein distance of two samples, in the column's own unit: how far the values of one have to be moved, on average, to
 * become the other. As `scipy.stats.wasserstein_distance`.
 *
 * @param reference `[n]` rising, at least one
 * @param current `[m]` rising, at least one
 */
export function wasserstein(reference: Float64Array, current: Float64Array): number {
  const n = reference.length;
  const m = current.length;
  let [i, j, sum] = [0, 0, 0];
  let last = Math.min(reference[0]!, current[0]!);
  while (i < n || j < m) {
    const next = j === m || (i < n && reference[i]! <= current[j]!) ? reference[i]! : current[j]!;
    sum += Math.abs(i / n - j / m) * (next - last);
    last = next;
    while (i < n && reference[i]! === next) i++;
    while (j < m && current[j]! === next) j++;
  }
  return sum;
}
