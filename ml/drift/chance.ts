import { type Random } from '../random/random';
import { populationStability } from './distances';
import { drawMultinomial } from './draw-counts';

/** So many draws that are as far are enough: the chance is then known to a fifth of itself. */
const ENOUGH = 25;

/** Draws at least, before a distance that none of them came near is taken for what it is. */
const LEAST_DRAWS = 1000;

/** A chance so far below the level that it need not be known any better. */
const BEYOND_DOUBT = 1e-3;

/** At most, whatever the level. */
const MOST_DRAWS = 2_000_000;

/** Draws for each alarm that is expected in as many: the chance at the level is then known to a third of itself. */
const DRAWS_PER_ALARM = 10;

/**
 * By what chance two samples of these sizes are at least as far from each other as these (PSI) where nothing has drifted: both are drawn
 * again from what they have in common, many times. So a small sample needs a large difference, and a large one is not alarmed by
 * its size alone. Most columns take few draws: it ends once enough were as far (Besag and Clifford, "Sequential Monte Carlo
 * p-values", 1991), or when what was found is so far out that no number of draws would reach it.
 *
 * @param reference `[k]` counts of the n reference rows, in bins that do not favour one of the samples
 * @param current `[k]` counts of the m current rows
 * @param level the chance from which on it is an alarm: near it the answer must be right
 */
export function chanceOfDistance(
  reference: Float64Array,
  current: Float64Array,
  level: number,
  random: Random,
): number {
  const found = populationStability(reference, current);
  const [n, m] = [sumOf(reference), sumOf(current)];
  if (n === 0 || m === 0 || found === 0) return 1;
  const shares = reference.map((count, i) => (count + current[i]!) / (n + m));
  const [one, other] = [new Float64Array(shares.length), new Float64Array(shares.length)];
  const most = Math.min(MOST_DRAWS, Math.max(LEAST_DRAWS, Math.ceil(DRAWS_PER_ALARM / level)));
  let [asFar, sum, squares] = [0, 0, 0];
  for (let draw = 1; draw <= most; draw++) {
    drawMultinomial(random, n, shares, one);
    drawMultinomial(random, m, shares, other);
    const drawn = populationStability(one, other);
    sum += drawn;
    squares += drawn * drawn;
    if (drawn >= found && ++asFar === ENOUGH) return ENOUGH / draw;
    if (draw !== LEAST_DRAWS || asFar > 0) continue;
    const mean = sum / draw;
    const far = beyondGamma(found, mean, squares / draw - mean * mean);
    if (far < level * BEYOND_DOUBT) return far;
  }
  return (asFar + 1) / (most + 1);
}

export const sumOf = (counts: Float64Array): number => counts.reduce((sum, count) => sum + count, 0);

/**
 * At most the chance that a gamma variable of this mean and variance, which is what sums of squares are like, is at least x (Chernoff's
 * bound); 1 below the mean.
 */
function beyondGamma(x: number, mean: number, variance: number): number {
  if (!(x > mean) || !(variance > 0)) return 1;
  const shape = (mean * mean) / variance;
  const times = x / mean;
  return Math.exp(shape * (Math.log(times) - times + 1));
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

/** Two ways of drawing that are as likely but for rounding count as equally likely: as scipy has it. */
const AS_LIKELY = 1 + 1e-7;

/**
 * By what chance a share differs as much between n and m rows where nothing has drifted: Fisher's exact test, both ways, as
 * `scipy.stats.fisher_exact`.
 *
 * @param before of the n rows have it
 * @param now of the m rows have it
 */
export function chanceOfShares(before: number, n: number, now: number, m: number): number {
  const all = before + now;
  const least = Math.max(0, all - n);
  const most = Math.min(all, m);
  if (least >= most) return 1;
  // Hypergeometric, as multiples of its largest term, so that nothing overflows.
  const mode = Math.min(most, Math.max(least, Math.floor(((all + 1) * (m + 1)) / (n + m + 2))));
  const rising = (k: number): number => ((all - k) * (m - k)) / ((k + 1) * (n - all + k + 1));
  const terms = new Float64Array(most - least + 1);
  terms[mode - least] = 1;
  for (let k = mode; k < most; k++) terms[k + 1 - least] = terms[k - least]! * rising(k);
  for (let k = mode - 1; k >= least; k--) terms[k - least] = terms[k + 1 - least]! / rising(k);
  const limit = terms[now - least]! * AS_LIKELY;
  let [sum, asFar] = [0, 0];
  for (const term of terms) {
    sum += term;
    if (term <= limit) asFar += term;
  }
  return Math.min(1, asFar / sum);
}
