import { type Logger } from '@temporalio/worker';
import { RetrainError } from '../../contracts/errors';
import { type Mlflow } from '../../integrations/mlflow/client';
import { ChampionGauges } from './champion-gauges';
import { readChampions } from './champions';
import { MlflowOutage } from './mlflow-outage';
import { type WorkerMetrics } from './worker-metrics';

/** What a worker's metrics tell of MLflow: whether it answers, and what is in production there. */
export function watchOutside(
  { registry }: Pick<Mlflow, 'registry'>,
  metrics: WorkerMetrics,
  logger: Pick<Logger, 'info' | 'warn'>,
): { mlflow: MlflowOutage; refresh(): Promise<void>; close(): void } {
  const mlflow = new MlflowOutage({
    ...{ registry: metrics.registry, logger },
    probe: (signal) => registry.listModels(1, signal),
  });
  const champions = new ChampionGauges({
    registry: metrics.registry,
    look: async (signal) => {
      const seen = await readChampions(registry, signal);
      for (const { model } of seen.champions) metrics.modelSeen(model);
      return seen;
    },
    onLook: (error) => {
      if (error instanceof RetrainError && error.code === 'MLFLOW_UNREACHABLE') mlflow.away(error.message);
      else if (error !== null) logger.warn('champions not looked at', { reason: String(error) });
    },
  });
  return {
    mlflow,
    refresh: () => champions.refresh(),
    close: () => {
      champions.close();
      mlflow.close();
    },
  };
}
