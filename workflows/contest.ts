import { ApplicationFailure, log, proxyActivities } from '@temporalio/workflow';
import {
  type Champion,
  type EvaluateOutput,
  type PipelineActivities,
  type PromoteOutput,
} from '../contracts/activities';
import { type RunSpec, type TrainingResult } from '../contracts/run';
import { tracking } from './activity-options';

/** Production may move while a candidate is scored; more often than this, something is wrong. */
const MAX_COMPARISONS = 5;

type Verdict = Extract<PromoteOutput, { stale: false }> & {
  champion: TrainingResult['champion'];
  /** The scoring that decided. */
  evaluated: EvaluateOutput;
};

/**
 * Candidate against champion, on the same held-out rows. What moves an alias is behind `decide`: this is
 * where a steward, one writer per model, will take over.
 */
export class Contest {
  constructor(
    private readonly spec: RunSpec,
    private readonly modelVersion: string,
    private readonly score: (champion: Champion | null) => Promise<EvaluateOutput>,
  ) {}

  /** Promotes against the champion of this moment: when production has moved since the scoring, both are scored again first. */
  async decide(champion: Champion | null, evaluated: EvaluateOutput): Promise<Verdict> {
    const { model } = this.spec.params;
    const { promote, fetchChampion } = proxyActivities<PipelineActivities>({
      ...tracking,
      summary: `${model} version ${this.modelVersion}`,
    });
    let rival = champion;
    let scores = evaluated;
    for (let comparison = 1; ; comparison++) {
      const championVersion = rival?.version ?? null;
      const promotion = await promote({
        spec: this.spec,
        modelVersion: this.modelVersion,
        championVersion,
        evaluated: scores,
      });
      if (!promotion.stale) {
        return {
          ...promotion,
          evaluated: scores,
          champion: rival === null ? null : { version: rival.version, metrics: scores.championMetrics },
        };
      }
      log.info('production moved meanwhile; comparing again', {
        championVersion,
        now: promotion.championVersion,
      });
      if (comparison === MAX_COMPARISONS) {
        throw ApplicationFailure.nonRetryable(
          `production of ${model} moved ${comparison} times while version ${this.modelVersion} was compared with it; start again`,
          'RUN_FAILED',
        );
      }
      rival = await fetchChampion({ model });
      scores = await this.score(rival);
    }
  }
}
