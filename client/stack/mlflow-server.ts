import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { packageRoot } from './package-root';
import type { ServerCommand } from './server-process';
import { type Environment } from '../../integrations/files/dot-env';

export interface MlflowServerOptions {
  /** A Python that has MLflow. */
  python: string;
  port: number;
  /** Folder that holds its database and artifacts; made when it is not there. */
  dir: string;
  logFile: string;
  env: Environment;
}

/**
 * How to start an MLflow server on SQLite, with artifacts proxied: clients need only its address. One worker
 * process suffices for one machine. Job execution serves MLflow's evaluation of language models: without it the
 * server is healthy after 5 s and not 10, and holds 0.5 GB and not 2.
 */
export function mlflowServer({ python, port, dir, logFile, env }: MlflowServerOptions): ServerCommand {
  mkdirSync(dir, { recursive: true });
  return {
    title: 'MLflow',
    command: python,
    args: [
      ...[launcher(), 'server', '--host', '127.0.0.1', '--port', String(port), '--workers', '1'],
      ...['--backend-store-uri', `sqlite:///${join(dir, 'mlflow.db')}`],
      ...['--serve-artifacts', '--artifacts-destination', join(dir, 'mlartifacts')],
    ],
    cwd: dir,
    env: {
      ...withoutMlflow(env),
      MLFLOW_DISABLE_TELEMETRY: 'true',
      DO_NOT_TRACK: 'true',
      MLFLOW_SERVER_ENABLE_JOB_EXECUTION: 'false',
      PYTHONUNBUFFERED: '1',
    },
    logFile,
    umask: 0o077,
  };
}

/** Does what `python -m mlflow` does, in one process instead of two. */
function launcher(): string {
  return join(packageRoot(), 'client', 'stack', 'mlflow_server.py');
}

/** Whether the server answers requests. */
export async function mlflowHealthy(uri: string, signal: AbortSignal): Promise<boolean> {
  const response = await fetch(`${uri}/health`, { signal });
  await response.body?.cancel();
  return response.ok;
}

/** MLflow takes MLFLOW_* and _MLFLOW_* for settings of the server: a client's address or password is none. */
function withoutMlflow(env: Environment): Environment {
  return Object.fromEntries(Object.entries(env).filter(([name]) => !/^_?MLFLOW_/.test(name)));
}
