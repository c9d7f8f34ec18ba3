import type { MlflowSettings } from './settings';

/** Opens MLflow 3's UI in its model-training view; its default, for language models, hides the runs. */
const TRAINING = '?workflowType=machine_learning';

/**
 * Addresses of pages of MLflow’s UI, without credentials. The routes are those of MLflow 3.17, seen in a browser; 2.x has
 * the same and ignores the query.
 */
export class MlflowLinks {
  constructor(private readonly settings: MlflowSettings) {}

  experiment(experimentId: string): string {
    return `${this.settings.uri}/#/experiments/${encodeURIComponent(experimentId)}${TRAINING}`;
  }

  run(experimentId: string, runId: string): string {
    const [experiment, run] = [experimentId, runId].map(encodeURIComponent);
    return `${this.settings.uri}/#/experiments/${experiment}/runs/${run}${TRAINING}`;
  }

  /** A file among the artifacts of a run. @param path relative, such as `evidence/pack.html` */
  artifact(experimentId: string, runId: string, path: string): string {
    const [experiment, run] = [experimentId, runId].map(encodeURIComponent);
    const file = path.split('/').map(encodeURIComponent).join('/');
    return `${this.settings.uri}/#/experiments/${experiment}/runs/${run}/artifacts/${file}${TRAINING}`;
  }

  model(name: string): string {
    return `${this.settings.uri}/#/models/${encodeURIComponent(name)}${TRAINING}`;
  }

  version(name: string, version: string): string {
    const [model, number] = [name, version].map(encodeURIComponent);
    return `${this.settings.uri}/#/models/${model}/versions/${number}${TRAINING}`;
  }
}
