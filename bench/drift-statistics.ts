const NORMAL_95 = 1.959963984540054;

/** The 95 % interval of a share (Wilson, 1927). */
export function wilson(hits: number, n: number): [low: number, high: number] {
  const z = NORMAL_95 * NORMAL_95;
  const middle = (hits + z / 2) / (n + z);
  const reach = (NORMAL_95 / (n + z)) * Math.sqrt((hits * (n - hits)) / n + z / 4);
  return [Math.max(0, middle - reach), Math.min(1, middle + reach)];
}

/** The chance that two samples of one distribution are as far apart (asymptotic); missing values do not count. */
export function kolmogorovSmirnov(before: Float64Array, now: Float64Array): number {
  const [a, b] = [before, now].map((values) => values.filter((value) => !Number.isNaN(value)).sort());
  if (a === undefined || b === undefined || a.length === 0 || b.length === 0) return 1;
  let [i, j, most] = [0, 0, 0];
  while (i < a.length && j < b.length) {
    const value = Math.min(a[i]!, b[j]!);
    while (i < a.length && a[i] === value) i++;
    while (j < b.length && b[j] === value) j++;
    most = Math.max(most, Math.abs(i / a.length - j / b.length));
  }
  const scaled = Math.sqrt((a.length * b.length) / (a.length + b.length)) * most;
  if (scaled < 0.2) return 1;
  let sum = 0;
  for (let k = 1; k <= 100; k++) sum += 2 * (k % 2 === 1 ? 1 : -1) * Math.exp(-2 * k * k * scaled * scaled);
  return Math.min(1, Math.max(0, sum));
}
