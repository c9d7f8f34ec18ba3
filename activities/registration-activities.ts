import path from 'node:path';
import { Context } from '@temporalio/activity';
import { type PipelineActivities, type PromoteInput, type PromoteOutput } from '../contracts/activities';
import { ALIAS, VERSION_TAG } from '../contracts/names';
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

/** From a scored candidate to a registered version, and from there to an alias. */
export function createRegistrationActivities({
  mlflow,
  store,
  signingKey,
  scratchDir,
  version,
}: RegistrationDeps): Pick<PipelineActivities, 'register' | 'promote'> {
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

    /**
     * Moves the aliases as the comparison says. Idempotent: `production` moves last, so an attempt that finds the
     * candidate there has nothing left to do, and one that does not repeats steps that change nothing twice.
     *
     * MLflow has no compare-and-swap: between the look at the alias and its move another writer may move it.
     */
    async promote(input): Promise<PromoteOutput> {
      return withHeartbeat(async (signal) => {
        const { model } = input.spec.params;
        const current = (await mlflow.registry.findByAlias(model, ALIAS.production, signal))?.version ?? null;
        const done = current === input.modelVersion;
        if (!done && current !== input.championVersion) return { stale: true, championVersion: current };
        const decision = decide(input);
        if (!done) await carryOut(mlflow, input, decision, signal);
        return { stale: false, ...decision };
      });
    },
  };
}

function decide({ spec, championVersion, evaluated }: PromoteInput): PromotionDecision {
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
  });
}

async function carryOut(
  mlflow: Mlflow,
  { spec, modelVersion, championVersion }: PromoteInput,
  { outcome, alias, reason, gate }: PromotionDecision,
  signal: AbortSignal,
): Promise<void> {
  const { registry } = mlflow;
  const { model, promote } = spec.params;
  await registry.setVersionTags(
    model,
    modelVersion,
    {
      [VERSION_TAG.promoted]: String(outcome === 'promoted'),
      [VERSION_TAG.promotionReason]: reason,
      [VERSION_TAG.gatePassed]: String(gate.every(({ passed }) => passed)),
    },
    signal,
  );
  if (alias === null) return;
  if (promote.legacy_stages) {
    await registry.transitionStage(
      model,
      modelVersion,
      alias === ALIAS.production ? 'Production' : 'Staging',
      signal,
    );
  }
  if (alias === ALIAS.production && championVersion !== null) {
    await registry.setAlias(model, ALIAS.previous, championVersion, signal);
  }
  await registry.setAlias(model, alias, modelVersion, signal);
}
