import path from 'node:path';
import { Context } from '@temporalio/activity';
import { type PipelineActivities } from '../contracts/activities';
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
