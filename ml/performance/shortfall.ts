import { setImmediate as nextTurn } from 'node:timers/promises';
import { type Metrics } from '../../contracts/stage';
import { lowerIsBetter } from '../../contracts/task-metrics';
import { drawWeights } from '../metrics/bootstrap';
import { quantile } from '../metrics/quantile';
import { normalTail } from '../drift/normal-tail';

/** Rows whose metrics can be taken for any weights `[rows]`. */
export interface Measured {
  rows: number;
  measure: (weights?: Float64Array) => Metrics;
}

/** A metric with what chance does to it. */
export interface Drawn {
  value: number;
  /** Of bootstrap draws, in no order; those from which it could not be had are left out. */
  draws: number[];
}

const DRAWS = 300;

/** The metrics of rows, and of as many rows drawn from them with replacement, again and again. The same seed gives the same. */
export async function drawMetrics(
  { rows, measure }: Measured,
  seed: number,
  draws = DRAWS,
): Promise<Record<string, Drawn>> {
  const drawn = Object.fromEntries(
    Object.entries(measure())
      .filter(([, value]) => Number.isFinite(value))
      .map(([metric, value]): [string, Drawn] => [metric, { value, draws: [] }]),
  );
  const weights = new Float64Array(rows);
  for (let draw = 0; draw < draws; draw++) {
    if (draw % 5 === 0) await nextTurn();
    drawWeights(weights, seed, draw);
    for (const [metric, value] of Object.entries(measure(weights))) {
      if (Number.isFinite(value) && Object.hasOwn(drawn, metric)) drawn[metric]!.draws.push(value);
    }
  }
  return drawn;
}

/** Ends between which the share `level` of the draws is; null: too few could be had. */
export function intervalOf({ draws }: Drawn, level: number): { low: number; high: number } | null {
  if (draws.length < 20) return null;
  const sorted = Float64Array.from(draws).sort();
  return { low: quantile(sorted, (1 - level) / 2), high: quantile(sorted, (1 + level) / 2) };
}

/**
 * By what chance a metric is so much worse than a limit, or than what other rows gave, though in truth it is not: the difference in
 * standard errors of both, taken for normal.
 *
 * @param expected a limit, or the metric of other rows
 */
export function chanceOfShortfall(metric: string, drawn: Drawn, expected: number | Drawn): number {
  const wanted = typeof expected === 'number' ? expected : expected.value;
  const worse = (drawn.value - wanted) * (lowerIsBetter(metric) ? -1 : 1);
  if (!(worse < 0)) return 1;
  const spread = Math.hypot(
    deviation(drawn.draws),
    typeof expected === 'number' ? 0 : deviation(expected.draws),
  );
  return spread > 0 ? normalTail(-worse / spread) : 0;
}

function deviation(draws: readonly number[]): number {
  if (draws.length < 2) return 0;
  const mean = draws.reduce((sum, one) => sum + one, 0) / draws.length;
  return Math.sqrt(draws.reduce((sum, one) => sum + (one - mean) ** 2, 0) / (draws.length - 1));
}
