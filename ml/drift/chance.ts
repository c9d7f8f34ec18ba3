import { type Random } from '../random/random';
import { populationStability } from './distances';
import { drawMultinomial } from './draw-counts';

/** So many draws that are as far are enough: the chance is then known to a fifth of itself. */
const ENOUGH = 25;

/**
 * By what chance two samples of these sizes are at least as far from each other as these (PSI) where nothing has drifted: both are drawn
 * again from what they have in common, many times. So a small sample needs a large difference, and a large one is not alarmed by
 * its size alone. Most columns take few draws: it ends once enough were as far (Besag and Clifford, "Sequential Monte Carlo
 * p-values", 1991).
 *
 * @param reference `[k]` counts of the n reference rows, in bins that do not favour one of the samples
 * @param current `[k]` counts of the m current rows
 * @param draws of both samples at most; a chance is at least 1 / (draws + 1)
 */
export function chanceOfDistance(
  reference: Float64Array,
  current: Float64Array,
  draws: number,
  random: Random,
): number {
  const found = populationStability(reference, current);
  const total = (counts: Float64Array): number => counts.reduce((sum, count) => sum + count, 0);
  const [n, m] = [total(reference), total(current)];
  const shares = reference.map((count, i) => (count + current[i]!) / (n + m));
  const [one, other] = [new Float64Array(shares.length), new Float64Array(shares.length)];
  let asFar = 0;
  for (let draw = 1; draw <= draws; draw++) {
    drawMultinomial(random, n, shares, one);
    drawMultinomial(random, m, shares, other);
    if (populationStability(one, other) >= found && ++asFar === ENOUGH) return ENOUGH / draw;
  }
  return (asFar + 1) / (draws + 1);
}

/**
 * By what chance at least `strange` of m rows have a value that none of n reference rows has, where nothing has drifted. The share of such
 * rows is not known; of n rows it is distributed as Beta(a, n + 1 - a), which makes the count beta-binomial.
 *
 * @param unseen a: 2 for what lies beyond the least and the largest of n numbers; for levels 1 + how many of them one row alone
 * has (Good and Turing)
 */
export function chanceOfStrange(strange: number, n: number, m: number, unseen = 2): number {
  if (strange === 0) return 1;
  const a = Math.min(unseen, n);
  const b = Math.max(1, n + 1 - a);
  // P(X = 0), and each next probability from the one before.
  let logarithm = 0;
  for (let i = 0; i < m; i++) logarithm += Math.log((b + i) / (a + b + i));
  let below = 0;
  for (let k = 0; k < strange; k++) {
    below += Math.exp(logarithm);
    logarithm += Math.log(((m - k) * (k + a)) / ((k + 1) * (m - k - 1 + b)));
  }
  return Math.min(1, Math.max(0, 1 - below));
}
