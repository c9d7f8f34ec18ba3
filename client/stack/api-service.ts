import { createHash } from 'node:crypto';
import { connect } from 'node:net';
import { join } from 'node:path';
import { RetrainError } from '../../contracts/errors';
import { type ServingParams } from '../../contracts/serving-params';
import { type Environment } from '../../integrations/files/dot-env';
import { loadParams } from '../../pipeline/run/load-params';
import { buildFingerprint } from './build-fingerprint';
import { packageRoot } from './package-root';
import { type Service } from './service';
import { logFile, pidFile, type StackSettings } from './stack-settings';
import { environmentDigests } from './worker-environment';

/** It listens before it has a model. */
const API_START_MS = 60_000;

/** It answers what came, and writes its log. */
export const API_STOP_MS = 15_000;

/** What the stack's API would serve, or why there is none. */
export type ApiPlan =
  | { uri: string; model: string; serving: ServingParams | undefined }
  /** Null: nobody asked for one. */
  | { why: string | null };

/** A folder without a project, or with a params file that is being written, gets its servers all the same. */
export async function apiPlan({ project, env, ports }: StackSettings): Promise<ApiPlan> {
  const uri = `${env['RETRAIN_API_TLS_CERT'] ? 'https' : 'http'}://${nearAddress(env)}:${ports.api.port}`;
  const named = env['RETRAIN_MODEL'] || undefined;
  try {
    const { model, serving } = await loadParams(project, 'params.yaml');
    return { uri, model: named ?? model, serving };
  } catch (error) {
    if (!(error instanceof RetrainError)) throw error;
    if (error.code === 'CONFIG_NOT_FOUND' && named !== undefined)
      return { uri, model: named, serving: undefined };
    return { why: error.code === 'CONFIG_NOT_FOUND' ? 'there is no params.yaml here' : error.message };
  }
}

/**
 * The prediction API. It finds MLflow as every command does. A running one of another build, model or environment is replaced.
 *
 * @param mlflow its address; null: it is asked only whether its port is free
 */
export function apiService(
  settings: StackSettings,
  plan: Extract<ApiPlan, { model: string }>,
  mlflow: string | null,
): Service {
  const { project, state, env, ports } = settings;
  const served = createHash('sha256')
    .update(JSON.stringify([plan.model, plan.serving ?? null]))
    .digest('hex');
  const parts = [
    `port ${ports.api.port}`,
    `MLflow ${mlflow}`,
    `model ${served.slice(0, 12)}`,
    `build ${buildFingerprint(join(packageRoot(), 'dist'))}`,
    `environment ${environmentDigests(project, state, env).whole}`,
  ];
  return {
    title: 'API',
    pidFile: pidFile(settings, 'api'),
    logFile: logFile(settings, 'api'),
    ports: [ports.api],
    fingerprint: parts.join(', '),
    replaceable: true,
    async command() {
      return {
        title: 'API',
        command: process.execPath,
        args: [join(packageRoot(), 'bin', 'retrain'), 'serve', '--port', String(ports.api.port)],
        cwd: project,
        env: { ...env, RETRAIN_STATE_DIR: state },
        logFile: logFile(settings, 'api'),
      };
    },
    healthy: (signal) => apiAnswers(env, plan.uri, signal),
    differs: (running) =>
      parts
        .filter((part) => !running.split(', ').includes(part))
        .map((part) => `${part.split(' ')[0]} changed`)
        .join(', '),
    startTimeoutMs: API_START_MS,
    stopTimeoutMs: API_STOP_MS,
  };
}

/** Whether it gets on; behind TLS, whose certificate is for other names, whether it listens. */
export async function apiAnswers(env: Environment, uri: string, signal: AbortSignal): Promise<boolean> {
  if (env['RETRAIN_API_TLS_CERT']) return listens(uri);
  const response = await fetch(`${uri}/live`, { signal });
  await response.body?.cancel();
  return response.ok;
}

function listens(uri: string): Promise<boolean> {
  const { hostname, port } = new URL(uri);
  return new Promise((resolve) => {
    const socket = connect({ host: hostname.replace(/^\[|\]$/g, ''), port: Number(port), timeout: 2_000 });
    const end = (answer: boolean): void => {
      socket.destroy();
      resolve(answer);
    };
    socket
      .once('connect', () => end(true))
      .once('timeout', () => end(false))
      .once('error', () => end(false));
  });
}

/** By which this machine reaches it, whatever it listens at. */
function nearAddress(env: Environment): string {
  const host = env['RETRAIN_API_HOST'] || '127.0.0.1';
  if (host === '0.0.0.0' || host === '::' || host === 'localhost') return '127.0.0.1';
  return host.includes(':') ? `[${host}]` : host;
}
