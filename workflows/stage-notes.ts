import { type EvaluateOutput } from '../contracts/activities';
import { type Metrics } from '../contracts/stage';

/** What the trainer measured of itself, in a few words. */
export function trainingNote(metrics: Metrics): string {
  return Object.entries(metrics)
    .map(([name, value]) => `${name} ${Number(value.toPrecision(4))}`)
    .join(', ');
}

export function evaluationNote({ metrics, rows }: EvaluateOutput): string {
  const [name, value] = Object.entries(metrics)[0] ?? ['no metric', NaN];
  return `${name} ${value.toFixed(3)} on ${rows} rows`;
}
