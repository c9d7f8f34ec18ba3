import { listed, RetrainError } from '../../contracts/errors';
import { LOWER_IS_BETTER } from '../../contracts/params';
import { type GateCheck } from '../../contracts/run';
import { type Metrics } from '../../contracts/stage';

/** Least value of each metric, or the largest of a loss or an error, as in `params.gate`. */
export type Gate = Readonly<Partial<Record<string, number>>>;

/**
 * Holds metrics against the quality gate: one check per metric of the gate, in the gate's order.
 *
 * @throws RetrainError CONFIG_INVALID when the gate names a metric that the evaluation did not make.
 */
export function checkGate(gate: Gate, metrics: Metrics): GateCheck[] {
  return Object.entries(gate).flatMap(([metric, minimum]) => {
    if (minimum === undefined) return [];
    const value = metrics[metric];
    if (value === undefined) {
      throw new RetrainError(
        'CONFIG_INVALID',
        `gate.${metric}: the evaluation made no such metric, expected one of ${listed(Object.keys(metrics), 12)}`,
      );
    }
    return [{ metric, minimum, value, passed: atLeastAsGood(metric, value, minimum) }];
  });
}

/** Whether less of a metric is better: losses and errors. */
export const lowerIsBetter = (metric: string): boolean => LOWER_IS_BETTER.includes(metric);

function atLeastAsGood(metric: string, value: number, limit: number): boolean {
  return lowerIsBetter(metric) ? value <= limit : value >= limit;
}
