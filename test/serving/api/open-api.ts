import { type FastifyInstance } from 'fastify';
import { type ApiParts, createApi } from '../../../serving/api/create-api';
import { type ApiSettings, DEFAULT_API } from '../../../serving/api/settings';
import {
  type LoggedPrediction,
  type LogStatus,
  type PredictionLog,
} from '../../../serving/log/prediction-log';
import { type Label, type ServedModel } from '../../../serving/model/served-model';
import { type ModelFacts } from '../../../serving/reload/live-model';
import { FACTS, FixedModels, SmallModel } from '../small-model';

/** Keeps what it is told, in memory. */
export class HeardLog implements PredictionLog {
  readonly heard: LoggedPrediction[] = [];
  readonly truths: { requestId: string; row: number; label: Label }[] = [];
  full = false;

  add(prediction: LoggedPrediction): void {
    this.heard.push(prediction);
  }
  feedback(requestId: string, row: number, label: Label): boolean {
    if (!this.full) this.truths.push({ requestId, row, label });
    return !this.full;
  }
  status(): LogStatus {
    return { written: 0, dropped: 0, queued: this.heard.length };
  }
  async close(): Promise<void> {}
}

export interface OpenedApi {
  app: FastifyInstance;
  models: FixedModels;
  log: HeardLog;
  /** What was logged as an error. */
  errors: unknown[];
}

/** What time it is for the log. */
export const NOW = Date.UTC(2026, 2, 9);

/** The API over a small model, without a port. A loaded machine is not what these tests are about: it sends nobody away. */
export async function openApi(
  settings: Partial<ApiSettings> = {},
  served: ServedModel | null = new SmallModel(),
  extend?: ApiParts['extend'],
  facts?: Partial<ModelFacts>,
): Promise<OpenedApi> {
  const models = new FixedModels(served, { ...FACTS, ...facts });
  const log = new HeardLog();
  const errors: unknown[] = [];
  const app = await createApi({
    settings: { ...DEFAULT_API, lagLimitMs: 60_000, ...settings },
    models,
    log,
    logger: { info() {}, warn() {}, error: (message, fields) => errors.push([message, fields]) },
    now: () => NOW,
    ...(extend === undefined ? {} : { extend }),
  });
  return { app, models, log, errors };
}
