import { createMlflow, type Mlflow } from '../../../integrations/mlflow/client';
import { type MlflowRun } from '../../../integrations/mlflow/run-record';
import { type ModelVersion } from '../../../integrations/mlflow/registry-record';
import { mlflowSettings } from '../../../integrations/mlflow/settings';

/** What MLflow holds of one test project: all of its runs and versions. */
export class RegistryView {
  readonly mlflow: Mlflow;

  constructor(
    private readonly model: string,
    uri = process.env['RETRAIN_TEST_MLFLOW_URI'],
  ) {
    this.mlflow = createMlflow(mlflowSettings({ MLFLOW_TRACKING_URI: uri }));
  }

  /** Newest first. */
  async runs(): Promise<MlflowRun[]> {
    const experimentId = await this.mlflow.experiments.find(this.model);
    return experimentId === null ? [] : this.mlflow.runs.list([experimentId], 1000);
  }

  /** Newest first. */
  async versions(): Promise<ModelVersion[]> {
    return this.mlflow.registry.listVersions(this.model);
  }

  /** Root of the model directory that a run registered. */
  async modelRoot(run: MlflowRun | undefined): Promise<string> {
    const version = (await this.versions()).find(({ runId }) => runId === run?.runId);
    return this.mlflow.resolveSource(version?.source ?? '');
  }

  async close(): Promise<void> {
    await this.mlflow.close();
  }
}
