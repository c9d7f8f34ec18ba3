/** Area under the ROC curve of the second column of `[n, 2]` probabilities; ties count half. */
export function binaryAuc(probabilities: Float64Array, labels: Uint32Array): number {
  const order = Array.from(labels, (_, i) => i);
  const score = (i: number): number => probabilities[2 * i + 1] ?? 0;
  order.sort((a, b) => score(a) - score(b));
  let ranks = 0;
  let positives = 0;
  for (let start = 0; start < order.length;) {
    let end = start;
    while (end < order.length && score(order[end] ?? 0) === score(order[start] ?? 0)) end++;
    for (let i = start; i < end; i++) {
      if (labels[order[i] ?? 0] !== 1) continue;
      ranks += (start + end + 1) / 2;
      positives++;
    }
    start = end;
  }
  return (ranks - (positives * (positives + 1)) / 2) / (positives * (labels.length - positives));
}
