import { listed, RetrainError } from '../../contracts/errors';
import { type GateCheck } from '../../contracts/run';
import { type Metrics } from '../../contracts/stage';

/** Least value of each metric, as in `params.gate`. */
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
    return [{ metric, minimum, value, passed: value >= minimum }];
  });
}
