import { mkdirSync } from 'node:fs';
import path from 'node:path';
import { type AddressInfo } from 'node:net';
import { RetrainError } from '../contracts/errors';
import { type ServingParams } from '../contracts/serving-params';
import { writeScrapeTarget } from '../integrations/files/scrape-target';
import { BRIEF } from '../integrations/mlflow/backoff';
import { createMlflow, type Mlflow } from '../integrations/mlflow/client';
import { type MlflowSettings } from '../integrations/mlflow/settings';
import { type ApiLogger } from './api/context';
import { createApi } from './api/create-api';
import { mlflowHistory } from './page/mlflow-history';
import { registerPage } from './page/register-page';
import { type ApiSettings } from './api/settings';
import { openServingLog } from './log/open-serving-log';
import { type PredictionLog } from './log/prediction-log';
import { ModelKeeper } from './reload/model-keeper';
import { registrySource } from './reload/registry-source';

export interface ServingOptions {
  api: ApiSettings;
  mlflow: MlflowSettings;
  /** Registered model. */
  model: string;
  serving: ServingParams;
  /** In PEM; null: signatures are not checked. */
  publicKey: string | null;
  /** See `stateDir`: copies of models and the prediction log are below it. */
  state: string;
  /** How often the aliases are looked at, in ms. */
  pollMs: number;
  logger: ApiLogger;
  /** What time it is for the prediction log, epoch ms; default: the machine's clock. For days that are played through. */
  now?: () => number;
}

export interface Serving {
  /** `http://127.0.0.1:8000` */
  url: string;
  /** Answers what has come, writes what waits, and ends. */
  close(): Promise<void>;
}

/**
 * Serves a registered model. It listens at once, and is ready when there is a model: `GET /ready` tells.
 *
 * @throws RetrainError PORT_TAKEN, CONFIG_INVALID
 */
export async function startServing(options: ServingOptions): Promise<Serving> {
  const { api, model, logger, state } = options;
  const mlflow = createMlflow(options.mlflow, { rule: BRIEF });
  const keeper = new ModelKeeper({
    model,
    source: (alias, role) =>
      registrySource(
        {
          ...{ mlflow, model, publicKey: options.publicKey, aliases: options.serving.aliases },
          shelf: { mlflow: options.mlflow, dir: path.join(state, 'serving', 'models') },
        },
        alias,
        role,
      ),
    canary: options.serving.canary ?? null,
    shadow: options.serving.shadow ?? null,
    pollMs: options.pollMs,
    onEvent: (event, fields) =>
      logger[event === 'swapped' || event === 'back' ? 'info' : 'warn'](MESSAGE[event], fields),
  });
  const log = predictionLog(options, mlflow);
  const app = await createApi({
    ...{ settings: api, models: keeper, log, logger, now: options.now },
    extend: (routes, context) => registerPage(routes, context, mlflowHistory(mlflow)),
  });
  let leaveTargets = (): void => undefined;
  const close = async (): Promise<void> => {
    leaveTargets();
    await app.close();
    await keeper.close();
    await log?.close();
    await mlflow.close();
  };
  try {
    await app.listen({ host: api.host, port: api.port });
  } catch (error) {
    await close();
    throw notListening(error, api);
  }
  // Whatever comes of the first look, it goes on looking, and /ready says how it stands.
  void keeper.start();
  const { port } = app.server.address() as AddressInfo;
  const url = urlOf(api, port);
  leaveTargets = announced(url, options);
  return { url, close };
}

/** For a Prometheus on this machine; an API on a disk that cannot be written answers all the same. */
function announced(url: string, { state, logger }: ServingOptions): () => void {
  try {
    return writeScrapeTarget(state, 'retrain-api', url);
  } catch (error) {
    logger.warn('scrape target not written', { reason: String(error) });
    return () => undefined;
  }
}

const MESSAGE = {
  swapped: 'model in service',
  refused: 'model version refused',
  away: 'MLflow does not answer',
  back: 'MLflow answers again',
  none: 'no version to serve',
} as const;

function predictionLog(
  { serving, state, logger, now }: ServingOptions,
  mlflow: Mlflow,
): PredictionLog | null {
  const { enabled, sample, retention_days: retentionDays, exclude } = serving.log;
  if (!enabled) return null;
  const dir = path.join(state, 'predictions');
  mkdirSync(dir, { recursive: true, mode: 0o700 });
  return openServingLog({
    ...{ dir, sample, retentionDays, exclude, summary: { mlflow } },
    ...(now === undefined ? {} : { now }),
    onNotice: (line) => logger.warn('prediction log', { notice: line }),
  });
}

function urlOf({ host, tls }: ApiSettings, port: number): string {
  const near = host === '0.0.0.0' || host === '::' ? '127.0.0.1' : host;
  return `${tls === null ? 'http' : 'https'}://${near.includes(':') ? `[${near}]` : near}:${port}`;
}

function notListening(error: unknown, { host, port }: ApiSettings): unknown {
  const { code, message } = error as NodeJS.ErrnoException;
  if (code === 'EADDRINUSE' || code === 'EACCES') {
    return new RetrainError(
      'PORT_TAKEN',
      `port ${port} on ${host}, which the API needs, is taken, or not ours to take; choose another with --port or RETRAIN_API_PORT`,
      { cause: error },
    );
  }
  if (code === 'EADDRNOTAVAIL' || code === 'ENOTFOUND') {
    return new RetrainError(
      'CONFIG_INVALID',
      `the API cannot listen at ${host}: ${message}; name an address of this machine with --host or RETRAIN_API_HOST`,
      { cause: error },
    );
  }
  return error;
}
