import { RetrainError } from '../../contracts/errors';
import { ALIAS } from '../../contracts/names';
import { type GateCheck, type TrainingResult } from '../../contracts/run';
import { type Metrics } from '../../contracts/stage';
import { type GateLimits, lowerIsBetter } from '../../contracts/task-metrics';
import { checkGate } from './check-gate';

export interface Champion {
  version: string;
  /** On the same rows as the candidate's; null when it could not be scored on them. */
  metrics: Metrics | null;
  /** Why it could not be scored. */
  error?: string | null;
}

export interface Contest {
  candidate: Metrics;
  /** What is production now; null when nothing is. */
  champion: Champion | null;
  /** The metric that decides. */
  metric: string;
  /** By how much the candidate must be better; it must be strictly better in any case. */
  minImprovement: number;
  gate: GateLimits;
  /** Held-out rows that both were scored on. */
  rows: number;
  /** Why the candidate must not become production, whoever is; null: nothing speaks against it. */
  noBetter?: string | null;
}

export interface PromotionDecision {
  outcome: TrainingResult['outcome'];
  /** The alias that the candidate gets. */
  alias: typeof ALIAS.production | typeof ALIAS.staging | null;
  /** One sentence for people. */
  reason: string;
  gate: GateCheck[];
}

/** What to do about a champion that will never be comparable again: nobody but a person can know that. */
const REPLACE_BY_HAND = `if it is to be replaced all the same, set the alias ${ALIAS.production} to this version by hand`;

/** Sums and products of shares, such as 0.95 - 0.93, are off by less than this. */
const ROUNDING = 1e-12;

/**
 * Decides what becomes of a candidate; pure. A failed gate: no alias. No better than a baseline: staging. No champion: production. Strictly better
 * than the champion (a loss or an error: less), and by `minImprovement` at least: production. Otherwise, or when
 * the champion cannot be scored on these rows: staging.
 *
 * @throws RetrainError CONFIG_INVALID when the gate or the contest names a metric that was not made.
 */
export function decidePromotion(contest: Contest): PromotionDecision {
  const gate = checkGate(contest.gate, contest.candidate);
  const failed = gate.filter(({ passed }) => !passed);
  if (failed.length > 0) {
    return { outcome: 'gate_failed', alias: null, reason: failed.map(belowGate).join(' and '), gate };
  }
  if (contest.noBetter != null) {
    return { outcome: 'staged', alias: ALIAS.staging, reason: contest.noBetter, gate };
  }
  const { promote, reason } = compare(contest);
  return promote
    ? { outcome: 'promoted', alias: ALIAS.production, reason, gate }
    : { outcome: 'staged', alias: ALIAS.staging, reason, gate };
}

function compare({ candidate, champion, metric, minImprovement, rows }: Contest): {
  promote: boolean;
  reason: string;
} {
  if (champion === null) return { promote: true, reason: 'there is no production version to beat yet' };
  const rival = `version ${champion.version}`;
  if (champion.metrics === null) {
    const why = champion.error == null ? '' : `: ${champion.error}`;
    return {
      promote: false,
      reason: `${rival} cannot be scored on these ${rows} rows${why}; ${REPLACE_BY_HAND}`,
    };
  }
  const mine = valueOf(candidate, metric, 'the candidate');
  const its = champion.metrics[metric];
  if (its === undefined) {
    return {
      promote: false,
      reason: `${rival} gives no ${metric} on these ${rows} rows to compare with, as a model that lacks probabilities or one of the classes; compare by another promote.metric, or ${REPLACE_BY_HAND}`,
    };
  }
  const [shownMine, shownIts] = shownApart(mine, its);
  const where = `on the same ${rows} rows`;
  const gain = lowerIsBetter(metric) ? its - mine : mine - its;
  if (Math.abs(gain) <= ROUNDING) {
    return { promote: false, reason: `${metric} ${shownMine} only equals ${rival}'s ${where}` };
  }
  if (gain < 0) {
    return {
      promote: false,
      reason: `${metric} ${shownMine} is ${lowerIsBetter(metric) ? 'above' : 'below'} ${rival}'s ${shownIts} ${where}`,
    };
  }
  const beats = `${metric} ${shownMine} beats ${rival}'s ${shownIts} ${where}`;
  return gain < minImprovement - ROUNDING
    ? { promote: false, reason: `${beats}, but by less than promote.min_improvement, ${minImprovement}` }
    : { promote: true, reason: beats };
}

function belowGate(check: GateCheck): string {
  const [side, limit] = 'least' in check ? ['below', check.least] : ['above', check.most];
  const [shownValue, shownLimit] = shownApart(check.value, Number(limit));
  return `${check.metric} ${shownValue} is ${side} the gate's ${shownLimit}`;
}

function valueOf(metrics: Metrics, metric: string, whose: string): number {
  const value = metrics[metric];
  if (value !== undefined) return value;
  throw new RetrainError(
    'CONFIG_INVALID',
    `promote.metric: ${whose} has no ${metric}, expected one of ${Object.keys(metrics).join(', ')}`,
  );
}

/** Three decimals, or as many as it takes for different numbers to look different. */
function shownApart(a: number, b: number): [string, string] {
  let digits = 3;
  while (digits < 12 && a !== b && a.toFixed(digits) === b.toFixed(digits)) digits++;
  return [a.toFixed(digits), b.toFixed(digits)];
}
