import { type PredictionLog } from '../log/prediction-log';
import { type ModelsInService } from '../reload/models-in-service';
import { type Answering } from './answering';
import { type Guard } from './guard';
import { type ApiMetrics } from './metrics';
import { type ApiSettings } from './settings';

/** What routes share. */
export interface ApiContext {
  settings: ApiSettings;
  models: ModelsInService;
  metrics: ApiMetrics;
  guard: Guard;
  /** Null: predictions are not logged. */
  log: PredictionLog | null;
  answering: Answering;
  logger: ApiLogger;
  /** Epoch ms. */
  startedAt: number;
  /** Whether it answers what came, and takes no more. */
  draining(): boolean;
}

/** A fixed message, data in fields. */
export interface ApiLogger {
  info(message: string, fields: Record<string, unknown>): void;
  warn(message: string, fields: Record<string, unknown>): void;
  error(message: string, fields: Record<string, unknown>): void;
}
