import { type Metrics } from '../../contracts/stage';
import { Random } from '../random/random';
import { quantile } from './quantile';

export interface BootstrapOptions {
  resamples: number;
  /** Share of the resamples within the interval: 0.95. */
  level: number;
  seed: number;
}

/** Lower and upper end. */
export type Interval = [low: number, high: number];

/**
 * Confidence intervals by the percentile bootstrap (Efron, 1979): draws n of n rows with replacement, measures
 * again, and takes the quantiles (linear, as numpy's). The same seed gives the same intervals.
 *
 * @param measure Metrics for weights `[n]`: how often each row was drawn. A figure that cannot be had from a draw
 *   (NaN: one class only) is left out of it.
 */
export function bootstrapIntervals(
  rows: number,
  measure: (weights: Float64Array) => Metrics,
  { resamples, level, seed }: BootstrapOptions,
): Record<string, Interval> {
  const weights = new Float64Array(rows);
  const drawn: Metrics[] = [];
  for (let resample = 0; resample < resamples; resample++) {
    drawWeights(weights, seed, resample);
    drawn.push(measure(weights));
  }
  return intervalsOf(drawn, level);
}

/** The intervals that draws give, see `bootstrapIntervals`. */
export function intervalsOf(drawn: readonly Metrics[], level: number): Record<string, Interval> {
  const found = new Map<string, number[]>();
  for (const metrics of drawn) {
    for (const [metric, value] of Object.entries(metrics)) {
      if (!Number.isFinite(value)) continue;
      const values = found.get(metric);
      if (values === undefined) found.set(metric, [value]);
      else values.push(value);
    }
  }
  const tail = (1 - level) / 2;
  return Object.fromEntries(
    [...found].map(([metric, values]) => {
      const sorted = Float64Array.from(values).sort();
      return [metric, [quantile(sorted, tail), quantile(sorted, 1 - tail)]];
    }),
  );
}

/** Draws n of n rows with replacement: fills `weights` `[n]` with how often each was drawn. */
export function drawWeights(weights: Float64Array, seed: number, resample: number): void {
  weights.fill(0);
  new Random(seed, resample).tally(weights);
}
