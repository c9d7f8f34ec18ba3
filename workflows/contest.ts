import {
  ApplicationFailure,
  CancellationScope,
  getExternalWorkflowHandle,
  log,
  proxyActivities,
  workflowInfo,
} from '@temporalio/workflow';
import {
  type Champion,
  type EvaluateOutput,
  type OpenRunOutput,
  type PipelineActivities,
  type PromoteOutput,
} from '../contracts/activities';
import { SIGNAL, stewardWorkflowId } from '../contracts/names';
import { type RunSpec, type TrainingResult } from '../contracts/run';
import { asking, tracking } from './activity-options';
import { failureReason } from './failure-reason';
import { SUMMARY } from './stage-notes';

/** The steward keeps the turn of a candidate that is scored again, longer each time, a week in all: more than this is a fault. */
const MAX_COMPARISONS = 12;

export type Verdict = Extract<PromoteOutput, { stale: false }> & {
  champion: TrainingResult['champion'];
  /** The scoring that decided. */
  evaluated: EvaluateOutput;
};

/** A registered candidate that is to meet the champion. */
export interface Candidate {
  spec: RunSpec;
  modelVersion: string;
  run: OpenRunOutput;
  /** Scores the candidate, and the champion on held-out rows that neither was trained on. */
  score: (champion: Champion | null) => Promise<EvaluateOutput>;
}

/**
 * Candidate against champion, on held-out rows that neither was trained on. The model's steward decides and moves the aliases, one candidate at a
 * time. When production has moved since the scoring, both are scored again first, while the steward keeps the turn.
 */
export async function decideContest(
  candidate: Candidate,
  firstChampion: Champion | null,
  firstScores: EvaluateOutput,
): Promise<Verdict> {
  try {
    return await compare(candidate, firstChampion, firstScores);
  } catch (error) {
    const { spec, modelVersion } = candidate;
    await CancellationScope.nonCancellable(() => withdraw(spec.params.model, modelVersion));
    throw error;
  }
}

async function compare(
  candidate: Candidate,
  firstChampion: Champion | null,
  firstScores: EvaluateOutput,
): Promise<Verdict> {
  const { spec, modelVersion, score } = candidate;
  const { model } = spec.params;
  const { fetchChampion } = proxyActivities<PipelineActivities>({
    ...tracking,
    summary: SUMMARY.promote(spec, modelVersion),
  });
  let champion = firstChampion;
  let evaluated = firstScores;
  for (let comparison = 1; ; comparison++) {
    const championVersion = champion?.version ?? null;
    const promotion = await ask(candidate, comparison, championVersion, evaluated);
    if (!promotion.stale) {
      return {
        ...promotion,
        evaluated,
        champion:
          champion === null ? null : { version: champion.version, metrics: evaluated.championMetrics },
      };
    }
    log.info('production moved meanwhile; comparing again', {
      championVersion,
      now: promotion.championVersion,
    });
    if (comparison === MAX_COMPARISONS) {
      throw ApplicationFailure.nonRetryable(
        `production of ${model} moved ${MAX_COMPARISONS} times while version ${modelVersion} was compared with it; start again`,
        'RUN_FAILED',
      );
    }
    champion = await fetchChampion({ model });
    evaluated = await score(champion);
  }
}

function ask(
  { spec, modelVersion, run }: Candidate,
  comparison: number,
  championVersion: string | null,
  evaluated: EvaluateOutput,
): Promise<PromoteOutput> {
  const { askSteward } = proxyActivities<PipelineActivities>({
    ...asking,
    summary: SUMMARY.promote(spec, modelVersion),
  });
  const { workflowId, runId } = workflowInfo();
  const { mlflowRunId, mlflowExperimentId } = run;
  return askSteward({
    ...{ spec, modelVersion, championVersion, evaluated, workflowId, mlflowRunId, mlflowExperimentId },
    id: `${runId}-${comparison}`,
  });
}

/** Others need not wait for a candidate that will not come back. */
async function withdraw(model: string, version: string): Promise<void> {
  try {
    await getExternalWorkflowHandle(stewardWorkflowId(model)).signal(SIGNAL.withdraw, { version });
  } catch (error) {
    log.warn('turn not given back; it runs out by itself', { version, reason: failureReason(error) });
  }
}
