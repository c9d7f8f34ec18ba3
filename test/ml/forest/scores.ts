/** Share of rows whose most probable class is the right one. */
export function accuracy(probabilities: Float64Array, labels: Uint32Array, classes: number): number {
  let right = 0;
  labels.forEach((label, i) => {
    const row = probabilities.subarray(i * classes, (i + 1) * classes);
    if (row.indexOf(Math.max(...row)) === label) right++;
  });
  return right / labels.length;
}

/** Area under the ROC curve; for more than two classes, the mean of one class against the rest. */
export function rocAuc(probabilities: Float64Array, labels: Uint32Array, classes: number): number {
  const one = (k: number): number =>
    binaryAuc(
      Array.from(labels, (_, i) => probabilities[i * classes + k] ?? 0),
      Array.from(labels, (label) => label === k),
    );
  if (classes === 2) return one(1);
  return Array.from({ length: classes }, (_, k) => one(k)).reduce((a, b) => a + b, 0) / classes;
}

/** Mann and Whitney's statistic: how often a positive row scores above a negative one, ties half. */
function binaryAuc(scores: number[], positive: boolean[]): number {
  let wins = 0;
  let pairs = 0;
  scores.forEach((score, i) => {
    if (positive[i] !== true) return;
    scores.forEach((other, j) => {
      if (positive[j] === true) return;
      pairs++;
      wins += score > other ? 1 : score === other ? 0.5 : 0;
    });
  });
  return wins / pairs;
}

/** Coefficient of determination. */
export function rSquared(predicted: Float64Array, targets: Float32Array): number {
  const mean = targets.reduce((a, b) => a + b, 0) / targets.length;
  const residual = targets.reduce((sum, y, i) => sum + (y - (predicted[i] ?? 0)) ** 2, 0);
  const total = targets.reduce((sum, y) => sum + (y - mean) ** 2, 0);
  return 1 - residual / total;
}
