import { type Random } from '../random/random';

/** Up to this many expected draws they are made one by one; the normal distribution takes over where it is as good. */
const FEW = 40;

/**
 * How many of n draws are successes, each with probability p: exact for few expected successes or failures, else by the normal
 * distribution, rounded.
 */
export function drawBinomial(random: Random, n: number, p: number): number {
  if (n <= 0 || p <= 0) return 0;
  if (p >= 1) return n;
  if (p > 0.5) return n - drawBinomial(random, n, 1 - p);
  if (n * p < FEW) return fewSuccesses(random, n, p);
  const drawn = Math.round(n * p + Math.sqrt(n * p * (1 - p)) * normal(random));
  return Math.min(n, Math.max(0, drawn));
}

/** By inversion: the probability of none, then each next one from the one before. One number is drawn. */
function fewSuccesses(random: Random, n: number, p: number): number {
  const odds = p / (1 - p);
  let probability = Math.exp(n * Math.log1p(-p));
  let left = random.float() - probability;
  let successes = 0;
  while (left >= 0 && successes < n) {
    probability *= (odds * (n - successes)) / (successes + 1);
    successes++;
    left -= probability;
    // What rounding leaves of 1 is beyond every number of successes.
    if (probability === 0) break;
  }
  return successes;
}

/** Box and Muller. */
function normal(random: Random): number {
  return Math.sqrt(-2 * Math.log1p(-random.float())) * Math.cos(2 * Math.PI * random.float());
}

/**
 * n draws from bins with these shares.
 *
 * @param shares `[k]`, their sum is 1
 * @param into `[k]` counts, overwritten
 */
export function drawMultinomial(random: Random, n: number, shares: Float64Array, into: Float64Array): void {
  let [left, rest] = [n, 1];
  for (let i = 0; i < shares.length; i++) {
    const drawn = i === shares.length - 1 ? left : drawBinomial(random, left, Math.min(1, shares[i]! / rest));
    into[i] = drawn;
    left -= drawn;
    rest = Math.max(Number.MIN_VALUE, rest - shares[i]!);
  }
}
