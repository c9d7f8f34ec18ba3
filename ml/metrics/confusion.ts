/**
 * Counts true against predicted classes: `[K, K]`, row = true class, column = predicted.
 *
 * @param truth `[n]` class numbers below K.
 * @param predicted `[n]` class numbers below K.
 * @param weights `[n]`; absent: 1 each.
 */
export function confusionMatrix(
  truth: Uint32Array,
  predicted: Uint32Array,
  classes: number,
  weights?: ArrayLike<number>,
): number[][] {
  if (truth.length !== predicted.length) {
    throw new RangeError(`${truth.length} true labels, but ${predicted.length} predictions`);
  }
  const counts = new Float64Array(classes * classes);
  for (let i = 0; i < truth.length; i++) {
    const row = truth[i]!;
    const column = predicted[i]!;
    if (row >= classes || column >= classes) throw new RangeError(`class number not below ${classes}`);
    counts[row * classes + column]! += weights === undefined ? 1 : (weights[i] ?? 0);
  }
  return Array.from({ length: classes }, (_, k) => [...counts.subarray(k * classes, (k + 1) * classes)]);
}
