import { type AccuracyReport } from '../../contracts/accuracy';
import { type AlarmCause } from '../../contracts/drift';
import { lowerIsBetter } from '../../contracts/task-metrics';
import { type Estimate } from '../../ml/performance/estimate';
import { chanceOfShortfall, type Drawn } from '../../ml/performance/shortfall';
import { percent } from './causes';

/** What is held against what. */
export interface Held {
  report: Omit<AccuracyReport, 'causes'>;
  /** By metric; null: too few labels. */
  live: Readonly<Record<string, Drawn>> | null;
  promised: Readonly<Record<string, Drawn>> | null;
  estimate: Estimate | null;
  /** Chance that this check raises any alarm where accuracy is as promised. */
  falseAlarms: number;
}

/**
 * Which shortfalls are alarms: those that chance alone would show so rarely, all questions taken together (Šidák). One cause for
 * all that labels tell, and one for what is estimated.
 */
export function accuracyCauses({ report, live, promised, estimate, falseAlarms }: Held): AlarmCause[] {
  const { metric, gate } = report;
  const promise = promised?.[metric];
  const said = report.estimated === null ? null : estimate;
  const guessed = report.estimated?.metric ?? metric;
  const limitOf = (name: string): number | undefined => gate.find((one) => one.metric === name)?.limit;
  const liveGate = gate.filter((one) => live?.[one.metric] !== undefined);
  const asksPromise = live?.[metric] !== undefined && promise !== undefined;
  const questions =
    liveGate.length + (asksPromise ? 1 : 0) + (said === null ? 0 : limitOf(guessed) === undefined ? 1 : 2);
  if (questions === 0) return [];
  const level = 1 - (1 - falseAlarms) ** (1 / questions);
  const broken: string[] = [];
  if (asksPromise && chanceOfShortfall(metric, live[metric]!, promise) <= level) {
    broken.push(
      `${metric} is ${shown(live[metric]!.value)}, and was ${shown(promise.value)} on held-out rows`,
    );
  }
  for (const one of liveGate) {
    if (chanceOfShortfall(one.metric, live![one.metric]!, one.limit) > level) continue;
    const side = lowerIsBetter(one.metric) ? 'at most' : 'at least';
    broken.push(
      `${one.metric} is ${shown(live![one.metric]!.value)}, and the gate asks for ${side} ${shown(one.limit)}`,
    );
  }
  return [
    ...(broken.length === 0 ? [] : [liveCause(report, broken)]),
    ...(said !== null && isBelow(said, guessed, limitOf(guessed), level)
      ? [estimatedCause(report, said, limitOf(guessed))]
      : []),
  ];
}

function isBelow(said: Estimate, metric: string, limit: number | undefined, level: number): boolean {
  if (chanceOfShortfall(metric, said.difference, 0) <= level) return true;
  // The estimate has the errors of its difference to the held-out rows, which are larger.
  const against = { value: said.value, draws: said.difference.draws };
  return limit !== undefined && chanceOfShortfall(metric, against, limit) <= level;
}

function liveCause(report: Held['report'], broken: readonly string[]): AlarmCause {
  const { metric, live, labels } = report;
  const own = live.find((one) => one.metric === metric);
  const between = own === undefined ? '' : ` (${shown(own.low)} to ${shown(own.high)})`;
  return {
    key: 'accuracy:live',
    column: null,
    title: `live ${metric} ${own === undefined ? 'is too low' : shown(own.value)}${between}`,
    detail: `${broken.join('; ')}. By ${labels.rows} labels, ${percent(labels.share)} of the answers`,
    rows: labels.rows,
  };
}

function estimatedCause(
  { metric: decides, estimated }: Held['report'],
  said: Estimate,
  limit: number | undefined,
): AlarmCause {
  const metric = estimated?.metric ?? decides;
  const gate = limit === undefined ? '' : `; the gate asks for ${shown(limit)}`;
  return {
    key: 'accuracy:estimated',
    column: null,
    title: `estimated ${metric} ${shown(said.value)} (${shown(said.low)} to ${shown(said.high)})`,
    detail: `By the model's calibrated probabilities ${metric} of these rows is about ${shown(said.value)}, and was ${shown(said.heldOut)} on held-out rows${gate}. No label is needed for this; it is no proof`,
    rows: estimated?.rows ?? 0,
  };
}

export const shown = (value: number): string => String(Number(value.toPrecision(3)));
