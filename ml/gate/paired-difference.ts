import { type Difference } from '../../contracts/comparison';
import { type Metrics } from '../../contracts/stage';
import { quantile } from '../metrics/quantile';

/** As many draws are kept, and the ends of every usual interval are among them. */
const KEPT_DRAWS = 401;

/**
 * How two models differ in each metric that both have, on the same rows, and how much of it may be chance: the paired
 * bootstrap (Efron and Tibshirani, 1993), which measures both on the same draws of n of n rows.
 *
 * @param whole metrics of candidate and champion on the rows as they are
 * @param drawn the same on each draw
 * @returns candidate minus champion, by metric.
 */
export function pairedDifferences(
  whole: readonly Metrics[],
  drawn: readonly (readonly Metrics[])[],
): Record<string, Difference> {
  const found = new Map<string, { value: number; draws: number[] }>();
  for (const [metric, value] of differences(whole)) found.set(metric, { value, draws: [] });
  for (const pair of drawn) {
    for (const [metric, value] of differences(pair)) found.get(metric)?.draws.push(value);
  }
  return Object.fromEntries(
    [...found].map(([metric, { value, draws }]) => [metric, { value, draws: thinned(draws) }]),
  );
}

function differences([mine = {}, its = {}]: readonly Metrics[]): [metric: string, difference: number][] {
  return Object.entries(mine).flatMap(([metric, value]): [string, number][] => {
    const difference = value - (its[metric] ?? Number.NaN);
    return Number.isFinite(difference) ? [[metric, difference]] : [];
  });
}

/** Sorted; of many, quantiles from the least to the largest. Seven digits are more than the draws can tell. */
function thinned(draws: number[]): number[] {
  const sorted = Float64Array.from(draws).sort();
  const kept =
    sorted.length <= KEPT_DRAWS
      ? sorted
      : Float64Array.from({ length: KEPT_DRAWS }, (_, i) => quantile(sorted, i / (KEPT_DRAWS - 1)));
  return Array.from(kept, (draw) => Number(draw.toPrecision(7)));
}

/** The middle part of the draws, such as 0.95 of them; null without draws. */
export function intervalOf({ draws }: Difference, level: number): [low: number, high: number] | null {
  if (draws.length === 0) return null;
  const sorted = Float64Array.from(draws);
  const tail = (1 - level) / 2;
  return [quantile(sorted, tail), quantile(sorted, 1 - tail)];
}
