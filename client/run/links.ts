import { evidencePath } from '../../contracts/evidence';
import { type TrainingResult } from '../../contracts/run';
import { MlflowLinks } from '../../integrations/mlflow/links';
import { workflowUrl } from '../../temporal/web-ui';
import { type ClientConfig } from '../config';
import { type ResultLinks } from '../terminal/result-lines';

/** Pages of a finished run. The Temporal page is known without a connection only while our stack is up, or by its settings. */
export function resultLinks(config: ClientConfig, result: TrainingResult): ResultLinks {
  const mlflow = new MlflowLinks(config.mlflow);
  const { mlflowExperimentId, mlflowRunId, evidence } = result;
  return {
    ...(evidence === undefined
      ? {}
      : { evidence: mlflow.artifact(mlflowExperimentId, mlflowRunId, evidencePath(evidence, 'html')) }),
    temporal: temporalPage(config, result.workflowId, result.workflowRunId),
    mlflow: mlflow.run(mlflowExperimentId, mlflowRunId),
    model: mlflow.version(result.model, result.modelVersion),
  };
}

/** Reads the stack file only: loading the settings of another server would cost a no-op start its speed. */
function temporalPage({ stack, env }: ClientConfig, workflowId: string, runId: string): string | null {
  const uiUrl = env['TEMPORAL_UI_URL']?.replace(/\/+$/, '') || stack?.temporal.uiUrl;
  if (uiUrl == null) return null;
  return workflowUrl(
    uiUrl,
    env['TEMPORAL_NAMESPACE'] || stack?.temporal.namespace || 'default',
    workflowId,
    runId,
  );
}
