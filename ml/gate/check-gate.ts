import { listed, RetrainError } from '../../contracts/errors';
import { type GateCheck } from '../../contracts/run';
import { metricOf, type Metrics, type Scores } from '../../contracts/stage';
import { classMetric, gateLimits, type GateLimits, lowerIsBetter } from '../../contracts/task-metrics';

/**
 * Holds metrics against the quality gate: one check per metric of the gate, in the gate's order.
 *
 * @param gate Least value of each metric, or the largest of a loss or an error, as in `params.gate`.
 * @throws RetrainError CONFIG_INVALID when the gate names a metric or a class that the evaluation does not have.
 */
export function checkGate(gate: GateLimits, metrics: Metrics): GateCheck[] {
  return gateLimits(gate).map(([metric, limit]) =>
    checkAgainst(
      metric,
      measured(metrics, metric),
      lowerIsBetter(metric) ? { most: limit } : { least: limit },
    ),
  );
}

/**
 * The metrics of an evaluation, and of many classes those that the gate names, which are not among them.
 *
 * @throws RetrainError CONFIG_INVALID as `checkGate`: what the gate names is there before anything is registered.
 */
export function metricsFor(
  gate: GateLimits,
  { metrics, perClass }: Pick<Scores, 'metrics' | 'perClass'>,
): Metrics {
  const named = new Set(gateLimits(gate).map(([metric]) => metric));
  const recalls = perClass.map(({ label, recall }) => [classMetric('recall', label), recall] as const);
  const all = { ...metrics, ...Object.fromEntries(recalls.filter(([metric]) => named.has(metric))) };
  for (const metric of named) measured(all, metric);
  return all;
}

function measured(metrics: Metrics, metric: string): number {
  const value = metricOf(metrics, metric);
  if (value !== undefined) return value;
  throw new RetrainError(
    'CONFIG_INVALID',
    `gate.${metric}: the evaluation made no such metric, expected one of ${listed(Object.keys(metrics), 40)}`,
  );
}

/** One check. A value that equals its limit passes; NaN does not. */
export function checkAgainst(
  metric: string,
  value: number,
  limit: { least: number } | { most: number },
): GateCheck {
  const passed = 'least' in limit ? value >= limit.least : value <= limit.most;
  return { metric, ...limit, value, passed };
}

/** The limit as everybody draws it: `≥ 0.9`, or `≤ 0.1` of a loss or an error. */
export function limitText(check: GateCheck): string {
  return 'least' in check ? `≥ ${check.least}` : `≤ ${check.most}`;
}

/** What came of a check, in a table: `≥ 0.9 passed`. */
export function verdictText(check: GateCheck): string {
  return `${limitText(check)} ${check.passed ? 'passed' : 'failed'}`;
}
