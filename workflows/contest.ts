import { ApplicationFailure, log, proxyActivities } from '@temporalio/workflow';
import {
  type Champion,
  type EvaluateOutput,
  type PipelineActivities,
  type PromoteOutput,
} from '../contracts/activities';
import { type RunSpec, type TrainingResult } from '../contracts/run';
import { tracking } from './activity-options';
import { SUMMARY } from './stage-notes';

/** Production may move while a candidate is scored; more often than this, something is wrong. */
const MAX_COMPARISONS = 5;

export type Verdict = Extract<PromoteOutput, { stale: false }> & {
  champion: TrainingResult['champion'];
  /** The scoring that decided. */
  evaluated: EvaluateOutput;
};

/** A registered candidate that is to meet the champion. */
export interface Candidate {
  spec: RunSpec;
  modelVersion: string;
  /** Scores candidate and champion on the same held-out rows. */
  score: (champion: Champion | null) => Promise<EvaluateOutput>;
}

/**
 * Candidate against champion, on the same held-out rows. What moves an alias is behind this: this is where a steward, one
 * writer per model, will take over. When production has moved since the scoring, both are scored again first.
 */
export async function decideContest(
  { spec, modelVersion, score }: Candidate,
  firstChampion: Champion | null,
  firstScores: EvaluateOutput,
): Promise<Verdict> {
  const { model } = spec.params;
  const { promote, fetchChampion } = proxyActivities<PipelineActivities>({
    ...tracking,
    summary: SUMMARY.promote(spec, modelVersion),
  });
  let champion = firstChampion;
  let evaluated = firstScores;
  for (let comparison = 1; ; comparison++) {
    const championVersion = champion?.version ?? null;
    const promotion = await promote({ spec, modelVersion, championVersion, evaluated });
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
        `production of ${model} moved ${comparison} times while version ${modelVersion} was compared with it; start again`,
        'RUN_FAILED',
      );
    }
    champion = await fetchChampion({ model });
    evaluated = await score(champion);
  }
}
