import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { devServerArguments, devServerEnvironment } from '../../../client/stack/dev-server';
import { hiddenAddress } from '../../../client/stack/hidden-address';
import { ensureMlflowPython } from '../../../client/stack/mlflow-python';
import { mlflowHealthy, mlflowServer } from '../../../client/stack/mlflow-server';
import { freePort } from '../../../client/stack/ports';
import { createProgress } from '../../../client/stack/progress';
import {
  endGroup,
  launch,
  signalGroup,
  untilHealthy,
  type ServerCommand,
} from '../../../client/stack/server-process';
import { ensureTemporal } from '../../../client/stack/temporal-program';
import { temporalHealthy } from '../../../client/stack/temporal-server';
import { createWebUiProxy, listenLocally } from '../../../client/stack/web-ui-proxy';
import { tether } from './tether';

/** Generous, as the machine may be busy with other suites; a server that dies is noticed at once. */
const HEALTHY_WITHIN_MS = 180_000;

/** A real server that a suite has for itself. It ends with the test process at the latest. */
export interface OwnServer {
  port: number;
  pid: number;
  logFile: string;
  /** Ends it as an operator would: SIGTERM. Its data stay, if they were given a folder or file. */
  stop(): Promise<void>;
  /** Ends it as a crash would: SIGKILL. */
  kill(): Promise<void>;
}

export interface OwnTemporal extends OwnServer {
  /** `127.0.0.1:<port>` */
  address: string;
  uiUrl: string;
  namespace: string;
}

export interface OwnMlflow extends OwnServer {
  /** `http://127.0.0.1:<port>` */
  uri: string;
  /** A Python that has mlflow, onnx and onnxruntime. */
  python: string;
}

/**
 * Starts a Temporal dev server with our search attributes and waits until it serves.
 *
 * @param options.port default: a free one
 * @param options.dbFile keeps its state across `stop` and a new start; default: memory
 */
export async function startTemporal(
  options: { port?: number; uiPort?: number; dbFile?: string } = {},
): Promise<OwnTemporal> {
  const program = await install((progress) => ensureTemporal(process.env, progress));
  const port = options.port ?? (await freePort());
  const uiPort = options.uiPort ?? (await freePort());
  const cwd = mkdtempSync(join(tmpdir(), 'retrain-temporal-'));
  const logFile = join(cwd, 'temporal.log');
  const ui = await hiddenAddress();
  const command: ServerCommand = {
    title: 'Temporal',
    command: program.path,
    args: devServerArguments({
      ...{ port, ui, namespace: 'default' },
      ...(options.dbFile !== undefined && { dbFile: options.dbFile }),
    }),
    ...{ cwd, logFile, env: devServerEnvironment(process.env) },
  };
  // In the stack it is a process; here it is in this one, so that suites need no build.
  const proxy = createWebUiProxy(ui).unref();
  await listenLocally(proxy, uiPort);
  const where = {
    address: `127.0.0.1:${port}`,
    uiUrl: `http://127.0.0.1:${uiPort}`,
    namespace: 'default',
  };
  const server = await start(command, (signal) => temporalHealthy(where, signal), cwd);
  const closing = (end: () => Promise<void>) => (): Promise<void> => {
    proxy.close();
    proxy.closeAllConnections();
    return end();
  };
  return { ...server, ...where, port, stop: closing(server.stop), kill: closing(server.kill) };
}

/**
 * Starts an MLflow server on SQLite with proxied artifacts and waits until it serves.
 *
 * @param options.port default: a free one
 * @param options.dir keeps its state across `stop` and a new start; default: a temporary folder
 */
export async function startMlflow(options: { port?: number; dir?: string } = {}): Promise<OwnMlflow> {
  const python = await install((progress) => ensureMlflowPython(process.env, progress));
  const port = options.port ?? (await freePort());
  const scratch = mkdtempSync(join(tmpdir(), 'retrain-mlflow-'));
  const dir = options.dir ?? join(scratch, 'state');
  mkdirSync(dir, { recursive: true });
  const logFile = join(scratch, 'mlflow.log');
  const uri = `http://127.0.0.1:${port}`;
  const command = mlflowServer({ python, port, dir, logFile, env: process.env });
  const server = await start(command, (signal) => mlflowHealthy(uri, signal), scratch);
  return { ...server, uri, python, port };
}

async function start(
  command: ServerCommand,
  healthy: (signal: AbortSignal) => Promise<boolean>,
  scratch: string,
): Promise<Omit<OwnServer, 'port'>> {
  const child = await launch(command);
  const untie = tether(child.pid);
  const end = async (graceMs: number): Promise<void> => {
    await endGroup(child.pid, graceMs);
    untie();
    rmSync(scratch, { recursive: true, force: true });
  };
  try {
    await untilHealthy({
      title: command.title,
      logFile: command.logFile,
      healthy,
      alive: () => child.exitCode === null && child.signalCode === null,
      timeoutMs: HEALTHY_WITHIN_MS,
    });
  } catch (error) {
    await end(0);
    throw error;
  }
  return {
    pid: child.pid,
    logFile: command.logFile,
    stop: () => end(15_000),
    kill: async () => {
      signalGroup(child.pid, 'SIGKILL');
      await end(0);
    },
  };
}

/** Installs what is missing, with progress where someone may be waiting for it. */
async function install<T>(ensure: (progress: ReturnType<typeof createProgress>) => Promise<T>): Promise<T> {
  const progress = createProgress(process.stderr);
  try {
    return await ensure(progress);
  } finally {
    progress.close();
  }
}
