import { type Comparison } from '../../contracts/comparison';
import { RetrainError } from '../../contracts/errors';
import { ALIAS } from '../../contracts/names';
import { type Params } from '../../contracts/params';
import { type ComparisonFigures, type GateCheck, type TrainingResult } from '../../contracts/run';
import { type Evaluation, type Metrics } from '../../contracts/stage';
import { type GateLimits, promotionMetric } from '../../contracts/task-metrics';
import { checkGate, metricsFor } from './check-gate';
import { judgeComparison, type Judgement, type PromotionPolicy, REPLACE_BY_HAND } from './judge-comparison';
import { rowsText, shownApart } from './number-text';

export interface ScoredChampion {
  version: string;
  /** Both side by side; null when the champion could not be scored. */
  comparison: Comparison | null;
  /** Why it could not be scored. */
  error?: string | null;
}

export interface Contest {
  /** On all held-out rows: what the gate goes by. */
  candidate: Metrics;
  /** What is production now; null when nothing is. */
  champion: ScoredChampion | null;
  gate: GateLimits;
  policy: PromotionPolicy;
  /** Held-out rows. */
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
  /** Null: there was nothing to compare with, or on. */
  comparison: ComparisonFigures | null;
}

/** The contest of an evaluated candidate. @param championVersion whom it was scored against; null: nobody */
export function contestOf(
  params: Pick<Params, 'task' | 'gate' | 'promote' | 'evaluate'>,
  evaluation: Evaluation,
  championVersion: string | null,
): Contest {
  const { gate, promote, evaluate } = params;
  return {
    candidate: metricsFor(gate, evaluation.candidate),
    champion:
      championVersion === null
        ? null
        : {
            version: championVersion,
            comparison: evaluation.comparison ?? untoldComparison(evaluation),
            error: evaluation.championError,
          },
    gate,
    policy: { ...promote, metric: promotionMetric(params), intervalLevel: evaluate.confidence },
    rows: evaluation.rows,
  };
}

/** Of a stage that scores both on all rows and says no more, such as one in another language. */
function untoldComparison({ candidate, champion, rows }: Evaluation): Comparison | null {
  if (champion === null) return null;
  return {
    ...{ rows, heldOut: rows, seenByChampion: null, seenByCandidate: 0 },
    unknown: 'the stage that scored it does not tell',
    ...{ candidate: candidate.metrics, champion: champion.metrics },
    ...{ differences: {}, slices: [], sliced: [] },
  };
}

/**
 * Decides what becomes of a candidate; pure. A failed gate: no alias. No better than a baseline: staging. No champion:
 * production. Better than the champion by the policy, on rows that neither was trained on: production. Otherwise, or when
 * the two cannot be compared: staging.
 *
 * @throws RetrainError CONFIG_INVALID when the gate or the contest names a metric that was not made.
 */
export function decidePromotion(contest: Contest): PromotionDecision {
  const gate = checkGate(contest.gate, contest.candidate);
  const failed = gate.filter(({ passed }) => !passed);
  if (failed.length > 0) {
    const reason = failed.map(belowGate).join(' and ');
    return { outcome: 'gate_failed', alias: null, reason, gate, comparison: null };
  }
  if (contest.noBetter != null) {
    return { outcome: 'staged', alias: ALIAS.staging, reason: contest.noBetter, gate, comparison: null };
  }
  const { promote, reason, figures } = judge(contest);
  return promote
    ? { outcome: 'promoted', alias: ALIAS.production, reason, gate, comparison: figures }
    : { outcome: 'staged', alias: ALIAS.staging, reason, gate, comparison: figures };
}

function judge({ candidate, champion, policy, rows }: Contest): Judgement {
  if (champion === null) {
    return { promote: true, reason: 'there is no production version to beat yet', figures: null };
  }
  requireMetric(candidate, policy.metric);
  const championName = `version ${champion.version}`;
  if (champion.comparison === null) {
    const why = champion.error == null ? '' : `: ${champion.error}`;
    return {
      promote: false,
      reason: `${championName} cannot be scored on these ${rowsText(rows)}${why}; ${REPLACE_BY_HAND}`,
      figures: null,
    };
  }
  return judgeComparison(champion.comparison, championName, policy);
}

function belowGate(check: GateCheck): string {
  const [side, limit] = 'least' in check ? ['below', check.least] : ['above', check.most];
  const [shownValue, shownLimit] = shownApart(check.value, Number(limit));
  return `${check.metric} ${shownValue} is ${side} the gate's ${shownLimit}`;
}

function requireMetric(metrics: Metrics, metric: string): void {
  if (metrics[metric] !== undefined) return;
  throw new RetrainError(
    'CONFIG_INVALID',
    `promote.metric: the candidate has no ${metric}, expected one of ${Object.keys(metrics).join(', ')}`,
  );
}
