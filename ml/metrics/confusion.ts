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
  const counts = Array.from({ length: classes }, () => new Array<number>(classes).fill(0));
  for (let i = 0; i < truth.length; i++) {
    const row = counts[truth[i] ?? classes];
    const column = predicted[i] ?? classes;
    if (row === undefined || column >= classes) throw new RangeError(`class number not below ${classes}`);
    row[column] = (row[column] ?? 0) + (weights === undefined ? 1 : (weights[i] ?? 0));
  }
  return counts;
}
