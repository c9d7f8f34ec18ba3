import type { TrainingResult } from '../../contracts/run';
import { BRIEF } from './backoff';
import { Experiments } from './experiments';
import { type HttpExchange } from './exchange';
import { plainExchange } from './plain-exchange';
import { Runs } from './runs';
import type { MlflowSettings } from './settings';
import { MlflowTransport } from './transport';

/**
 * The result of the newest finished run of a pipeline key, or null: what `retrain start` prints when nothing changed.
 * Two small requests over Node’s own HTTP client; this file and what it imports leave undici unloaded.
 *
 * @throws RetrainError MLFLOW_UNREACHABLE, MLFLOW_BUSY, MLFLOW_REFUSED
 */
export async function findFinished(
  settings: MlflowSettings,
  experimentName: string,
  pipelineKey: string,
  options: { signal?: AbortSignal; exchange?: HttpExchange } = {},
): Promise<TrainingResult | null> {
  const transport = new MlflowTransport(settings, options.exchange ?? plainExchange(), BRIEF);
  try {
    const experimentId = await new Experiments(transport).find(experimentName, options.signal);
    if (experimentId === null) return null;
    const found = await new Runs(transport).findFinished(experimentId, pipelineKey, options.signal);
    return found?.result ?? null;
  } finally {
    await transport.close();
  }
}
