import type { MlflowSettings } from './settings';

/**
 * Addresses of pages of MLflow’s UI, without credentials. The routes are those of MLflow 3.17 (and 2.x), which a test
 * opens in a browser.
 */
export class MlflowLinks {
  constructor(private readonly settings: MlflowSettings) {}

  experiment(experimentId: string): string {
    return `${this.settings.uri}/#/experiments/${encodeURIComponent(experimentId)}`;
  }

  run(experimentId: string, runId: string): string {
    return `${this.experiment(experimentId)}/runs/${encodeURIComponent(runId)}`;
  }

  model(name: string): string {
    return `${this.settings.uri}/#/models/${encodeURIComponent(name)}`;
  }

  version(name: string, version: string): string {
    return `${this.model(name)}/versions/${encodeURIComponent(version)}`;
  }
}
