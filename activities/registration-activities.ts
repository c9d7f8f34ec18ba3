import path from 'node:path';
import { Context } from '@temporalio/activity';
import { type PipelineActivities, type PromoteInput } from '../contracts/activities';
import { promotionMetric } from '../contracts/task-metrics';
import { decidePromotion, type PromotionDecision } from '../ml/gate/decide-promotion';
import { type ContentStore } from '../integrations/dvc/content-store';
import { type Mlflow } from '../integrations/mlflow/client';
import { withHeartbeat } from './heartbeat';
import { type SigningKey } from './model-package';
import { registerModel } from './register-model';

export interface RegistrationDeps {
  mlflow: Mlflow;
  store: ContentStore;
  /** Null: models are not signed. */
  signingKey: SigningKey | null;
  scratchDir: string;
  /** Of retrain. */
  version: string;
}

/** From a scored candidate to a registered version. */
export function createRegistrationActivities({
  mlflow,
  store,
  signingKey,
  scratchDir,
  version,
}: RegistrationDeps): Pick<PipelineActivities, 'register'> {
  return {
    /** Idempotent: see `registerModel`. */
    async register(input) {
      const { scheduledTimestampMs: at, activityId, attempt } = Context.current().info;
      const scratch = path.join(scratchDir, `${input.mlflowRunId}-${activityId}-${attempt}`);
      return withHeartbeat((signal, onProgress) =>
        registerModel(
          { mlflow, store, signingKey, version },
          input,
          { at, scratch },
          {
            signal,
            onProgress: (done, total) => onProgress({ phase: 'uploading', done, total }),
          },
        ),
      );
    },
  };
}

/** What becomes of a candidate, by its scores and the champion's. @throws RetrainError CONFIG_INVALID */
export function decide({ spec, championVersion, evaluated }: PromoteInput): PromotionDecision {
  const { gate, promote } = spec.params;
  return decidePromotion({
    candidate: evaluated.candidateMetrics,
    champion:
      championVersion === null
        ? null
        : { version: championVersion, metrics: evaluated.championMetrics, error: evaluated.championError },
    metric: promotionMetric(spec.params),
    minImprovement: promote.min_improvement,
    gate,
    rows: evaluated.rows,
    noBetter: promote.beat_baseline === false ? null : (evaluated.noBetter ?? null),
  });
}
