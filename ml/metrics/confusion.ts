/**
 * Counts true against predicted classes: `[K, K]`, row = true class, column = predicted.
 *
 * @param truth `[n]` class numbers below K.
 * @param predicted `[n]` class numbers below K.
 */
export function confusionMatrix(truth: Uint32Array, predicted: Uint32Array, classes: number): number[][] {
  if (truth.length !== predicted.length) {
    throw new RangeError(`${truth.length} true labels, but ${predicted.length} predictions`);
  }
  const counts = Array.from({ length: classes }, () => new Array<number>(classes).fill(0));
  for (const [i, label] of truth.entries()) {
    const row = counts[label];
    const column = predicted[i] ?? classes;
    if (row === undefined || column >= classes) throw new RangeError(`class number not below ${classes}`);
    row[column] = (row[column] ?? 0) + 1;
  }
  return counts;
}
