import { type Backtest, type Metrics } from '../../contracts/stage';
import { isDetail } from '../../contracts/task-metrics';

/** What a cut-off is looked at by first. */
const MAIN = { classification: 'accuracy', regression: 'mae' } as const;

/** The metric that baselines are held against, and that is plotted. */
export function mainMetric({ cutoffs }: Backtest): string {
  return cutoffs.some(({ metrics }) => metrics[MAIN.regression] !== undefined)
    ? MAIN.regression
    : MAIN.classification;
}

/**
 * Means over the cut-offs: `backtest_mae` and on of the model, and of each baseline the main metric, `backtest_mae_moving_average`.
 * A metric that a window does not have (one class only) is left out of its mean.
 */
export function backtestMetrics(backtest: Backtest): Metrics {
  const { cutoffs } = backtest;
  const main = mainMetric(backtest);
  const names = [...new Set(cutoffs.flatMap(({ metrics }) => Object.keys(metrics)))].filter(
    (name) => !isDetail(name),
  );
  const baselines = [
    ...new Set(cutoffs.flatMap(({ baselines: all }) => all.map(({ algorithm }) => algorithm))),
  ];
  return Object.fromEntries([
    ...names.map((name) => [`backtest_${name}`, mean(cutoffs.map(({ metrics }) => metrics[name]))] as const),
    ...baselines.map(
      (name) =>
        [`backtest_${main}_${name.replaceAll('-', '_')}`, mean(ofBaseline(backtest, name, main))] as const,
    ),
  ]);
}

/** One metric of a baseline by cut-off; undefined where it has none. */
export function ofBaseline({ cutoffs }: Backtest, algorithm: string, metric: string): (number | undefined)[] {
  return cutoffs.map(
    ({ baselines }) => baselines.find((one) => one.algorithm === algorithm)?.metrics[metric],
  );
}

function mean(values: readonly (number | undefined)[]): number {
  const there = values.filter((value) => value !== undefined);
  return there.length === 0 ? 0 : there.reduce((a, b) => a + b, 0) / there.length;
}

/** A metric at one cut-off, for a tracker that draws series. */
export interface MetricPoint {
  key: string;
  value: number;
  /** Number of the cut-off, from 1. */
  step: number;
}

/** Every cut-off as a point of a series: `backtest_window_mae`, `backtest_window_mae_moving_average`. */
export function backtestPoints(backtest: Backtest): MetricPoint[] {
  const main = mainMetric(backtest);
  return backtest.cutoffs.flatMap(({ metrics, baselines }, k) => [
    ...Object.entries(metrics)
      .filter(([name]) => !isDetail(name))
      .map(([name, value]) => ({ key: `backtest_window_${name}`, value, step: k + 1 })),
    ...baselines.flatMap(({ algorithm, metrics: its }) => {
      const value = its[main];
      const key = `backtest_window_${main}_${algorithm.replaceAll('-', '_')}`;
      return value === undefined ? [] : [{ key, value, step: k + 1 }];
    }),
  ]);
}
