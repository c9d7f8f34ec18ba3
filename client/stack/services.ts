import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { listed, RetrainError } from '../../contracts/errors';
import { askHealth } from '../../integrations/files/health-report';
import { readWorkerFile, workerFile } from '../../integrations/files/worker-file';
import { buildFingerprint } from './build-fingerprint';
import { ensureMlflowPython } from './mlflow-python';
import { mlflowHealthy, mlflowServer } from './mlflow-server';
import { packageRoot } from './package-root';
import type { Progress } from './progress';
import type { Service } from './service';
import { logFile, pidFile, type StackSettings } from './stack-settings';
import { ensureTemporal } from './temporal-program';
import { temporalHealthy, temporalServer } from './temporal-server';
import { changedNames, environmentDigests, readDigests, writeDigests } from './worker-environment';

/** The namespace that every Temporal server has. */
export const NAMESPACE = 'default';

/** A first start on a busy machine: MLflow makes its database, Python compiles its modules. */
const SERVER_START_MS = 120_000;

/** A server that has not ended in order after this long is killed; its database survives that. */
export const SERVER_STOP_MS = 15_000;

/** The worker gives running activities a few seconds, then closes its connections. */
export const WORKER_STOP_MS = 30_000;

/** A worker loads the workflow bundle and connects. */
const WORKER_START_MS = 60_000;

/** The embedded Temporal server, with its state in `.retrain/temporal.db`. */
export function temporalService(settings: StackSettings, progress: Progress): Service {
  const { temporal, temporalUi } = settings.ports;
  const where = {
    address: `127.0.0.1:${temporal.port}`,
    uiUrl: `http://127.0.0.1:${temporalUi.port}`,
    namespace: NAMESPACE,
  };
  return {
    title: 'Temporal',
    pidFile: pidFile(settings, 'temporal'),
    logFile: logFile(settings, 'temporal'),
    ports: [temporal, temporalUi],
    fingerprint: `port ${temporal.port}, Web UI port ${temporalUi.port}`,
    replaceable: false,
    async command() {
      const { path } = await ensureTemporal(settings.env, progress);
      return temporalServer({
        main: join(packageRoot(), 'dist', 'client', 'stack', 'temporal-main.js'),
        program: path,
        port: temporal.port,
        uiPort: temporalUi.port,
        namespace: NAMESPACE,
        dbFile: join(settings.state, 'temporal.db'),
        cwd: settings.state,
        logFile: logFile(settings, 'temporal'),
        env: settings.env,
      });
    },
    healthy: (signal) => temporalHealthy(where, signal),
    startTimeoutMs: SERVER_START_MS,
    stopTimeoutMs: SERVER_STOP_MS,
  };
}

/** The embedded MLflow server, with its state in `.retrain/mlflow.db` and `.retrain/mlartifacts/`. */
export function mlflowService(settings: StackSettings, progress: Progress): Service {
  const { mlflow } = settings.ports;
  return {
    title: 'MLflow',
    pidFile: pidFile(settings, 'mlflow'),
    logFile: logFile(settings, 'mlflow'),
    ports: [mlflow],
    fingerprint: `port ${mlflow.port}`,
    replaceable: false,
    async command() {
      return mlflowServer({
        python: await ensureMlflowPython(settings.env, progress),
        port: mlflow.port,
        dir: settings.state,
        logFile: logFile(settings, 'mlflow'),
        env: settings.env,
      });
    },
    healthy: (signal) => mlflowHealthy(`http://127.0.0.1:${mlflow.port}`, signal),
    startTimeoutMs: SERVER_START_MS,
    stopTimeoutMs: SERVER_STOP_MS,
  };
}

/**
 * The worker. It finds the servers as every command does, by the environment and the stack file, which must be
 * written by then. A running one of another build or for other servers is replaced.
 *
 * @param servers addresses and task queue
 */
export function workerService(settings: StackSettings, servers: readonly string[]): Service {
  const environment = environmentDigests(settings.project, settings.state, settings.env);
  const parts = [
    ...servers,
    `build ${buildFingerprint(join(packageRoot(), 'dist'))}`,
    `environment ${environment.whole}`,
  ];
  return {
    title: 'Worker',
    pidFile: pidFile(settings, 'worker'),
    logFile: logFile(settings, 'worker'),
    ports: [],
    fingerprint: parts.join(', '),
    replaceable: true,
    async command() {
      return {
        title: 'Worker',
        command: process.execPath,
        args: [workerMain()],
        cwd: settings.project,
        env: { ...settings.env, RETRAIN_STATE_DIR: settings.state },
        logFile: logFile(settings, 'worker'),
      };
    },
    // Room on the disk is no reason to start it again: `doctor` tells.
    healthy: async (signal, pid) => {
      const file = readWorkerFile(workerFile(settings.state, pid));
      const report = file === null ? null : await askHealth(file.health, signal);
      return report !== null && report.live && report.checks.poller.ok;
    },
    differs: (running) => {
      const changed = parts.filter((part) => !running.split(', ').includes(part));
      const names = changedNames(readDigests(settings.state), environment.byName);
      return changed
        .map((part) =>
          part.startsWith('environment ') ? environmentText(names) : `${part.split(' ')[0]} changed`,
        )
        .join(', ');
    },
    onStarted: () => writeDigests(settings.state, environment),
    startTimeoutMs: WORKER_START_MS,
    stopTimeoutMs: WORKER_STOP_MS,
  };
}

function environmentText(names: readonly string[]): string {
  return names.length === 0 ? 'environment changed' : `${listed(names)} changed`;
}

/** Whether retrain has been compiled. */
export function isBuilt(): boolean {
  return existsSync(workerMain());
}

/** @throws RetrainError TOOL_MISSING when it has not been compiled */
export function requireBuild(): void {
  if (isBuilt()) return;
  throw new RetrainError(
    'TOOL_MISSING',
    `the worker is not built (${workerMain()} is missing); run \`make setup\` or \`npm run build\``,
  );
}

function workerMain(): string {
  return join(packageRoot(), 'dist', 'worker', 'main.js');
}
