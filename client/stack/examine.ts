import { connect } from '../../temporal/connect';
import { mlflowSettings } from '../../integrations/mlflow/settings';
import { type Environment } from '../../integrations/files/dot-env';
import { namesServer, temporalSettings } from '../../temporal/settings';
import type { StackFile } from './stack-file';
import { askHealth, complaintOf } from '../../integrations/files/health-report';
import { readWorkerFile, workerFile } from '../../integrations/files/worker-file';
import { findProgram, outputOf } from './find-program';
import { findMlflowPython, findPython, MLFLOW_VERSION } from './mlflow-python';
import { runningFrom } from './pid-file';
import { apiAnswers } from './api-service';
import { isBuilt } from './services';
import { pidFile, type StackSettings } from './stack-settings';
import { findTemporal } from './temporal-program';

/** What `retrain doctor` says about one part. */
export interface Finding {
  part: string;
  /** `none`: an optional part that is not there. `down`: a server that does not run. */
  status: 'ok' | 'missing' | 'none' | 'up' | 'down';
  version: string | null;
  /** A path or an address. */
  where: string | null;
  /** What it is for, or how to get it. */
  note: string | null;
}

type Examination = (settings: StackSettings, stack: StackFile | null) => Promise<Finding>;

/** Looks at every part, side by side. Nothing is installed or started. */
export function examine(settings: StackSettings, stack: StackFile | null): Promise<Finding[]> {
  return Promise.all(PARTS.map((part) => part(settings, stack)));
}

/** Oldest Node that works, as package.json says. */
const OLDEST_NODE = [20, 19] as const;

const PARTS: Examination[] = [
  node,
  async ({ env }) => {
    const python = await findPython(env);
    if (python !== null) return ok('Python', python.version, python.path);
    if (env['MLFLOW_TRACKING_URI']) return none('Python', 'only a local MLflow server needs it');
    return missing('Python', 'version 3.10 or newer from https://www.python.org/downloads');
  },
  async ({ env }) => optional('Git', 'git', ['--version'], env, 'records the commit that a model comes from'),
  async ({ env }) => optional('Go', 'go', ['version'], env, 'builds Temporal where it cannot be downloaded'),
  async ({ env }) => {
    const temporal = await findTemporal(env);
    if (temporal !== null) return ok('Temporal', temporal.version, temporal.path);
    if (namesServer(env)) return none('Temporal', 'not needed: TEMPORAL_ADDRESS names a server');
    return missing('Temporal', '`make setup` or `retrain up` gets it; or put `temporal` on the PATH');
  },
  mlflow,
  async () => {
    return isBuilt() ? ok('Build', null, 'dist/') : missing('Build', '`make setup` or `npm run build`');
  },
  async ({ env }) => {
    const part = await optional('Docker', 'docker', ['--version'], env, 'runs stages in containers');
    const engine = ['version', '--format', '{{.Server.Version}}'];
    if (part.where === null || (await outputOf(part.where, engine, env)) !== null) return part;
    return { ...part, status: 'none', note: 'the engine does not answer; it runs stages in containers' };
  },
  temporalServerPart,
  mlflowServerPart,
  async (settings) => {
    const worker = runningFrom(pidFile(settings, 'worker'));
    if (worker === null) return down('Worker', null);
    const file = readWorkerFile(workerFile(settings.state, worker.pid));
    const report = file === null ? null : await askHealth(file.health);
    const complaint = complaintOf(report);
    if (complaint === '') return { ...up('Worker', `process ${worker.pid}`), note: null };
    return { ...down('Worker', `process ${worker.pid}`), note: `it is not well: ${complaint}` };
  },
  async (settings, stack) => {
    const uri = stack?.api?.uri ?? null;
    if (runningFrom(pidFile(settings, 'api')) === null || uri === null) return down('API', null);
    const answers = await apiAnswers(settings.env, uri, AbortSignal.timeout(3_000)).catch(() => false);
    return answers
      ? up('API', uri)
      : { ...down('API', uri), note: 'it does not answer; `retrain up` starts it again' };
  },
];

async function node(): Promise<Finding> {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  const newEnough = major > OLDEST_NODE[0] || (major === OLDEST_NODE[0] && minor >= OLDEST_NODE[1]);
  if (newEnough) return ok('Node', process.versions.node, process.execPath);
  const note = `is too old, ${OLDEST_NODE.join('.')} or newer from https://nodejs.org`;
  return { ...missing('Node', note), version: process.versions.node, where: process.execPath };
}

async function mlflow({ env }: StackSettings): Promise<Finding> {
  const python = findMlflowPython(env);
  if (python !== null) {
    const ask = ['-c', 'from importlib.metadata import version; print(version("mlflow"))'];
    const version = await outputOf(python, ask, env);
    if (version !== null) return ok('MLflow', version, python);
  }
  if (env['MLFLOW_TRACKING_URI']) return none('MLflow', 'not needed: MLFLOW_TRACKING_URI names a server');
  return missing('MLflow', `\`make setup\` or \`retrain up\` installs ${MLFLOW_VERSION}`);
}

async function temporalServerPart({ env }: StackSettings, stack: StackFile | null): Promise<Finding> {
  const settings = temporalSettings(env, stack);
  try {
    const connection = await connect(settings, { timeoutMs: 10_000 });
    await connection.close();
    return { ...up('Temporal server', settings.address), note: settings.uiUrl };
  } catch {
    return down('Temporal server', settings.address);
  }
}

async function mlflowServerPart({ env, ports }: StackSettings, stack: StackFile | null): Promise<Finding> {
  const fallback = stack?.mlflow.uri ?? `http://127.0.0.1:${ports.mlflow.port}`;
  const settings = mlflowSettings(env, fallback);
  try {
    const answer = await fetch(settings.uri, {
      headers: settings.headers(),
      signal: AbortSignal.timeout(3_000),
    });
    await answer.body?.cancel();
    return up('MLflow server', settings.uri);
  } catch {
    return down('MLflow server', settings.uri);
  }
}

async function optional(
  part: string,
  program: string,
  ask: string[],
  env: Environment,
  purpose: string,
): Promise<Finding> {
  const path = findProgram(program, env);
  const answer = path === null ? null : await outputOf(path, ask, env);
  if (path === null || answer === null) return none(part, purpose);
  return ok(part, /\d+(\.\d+)+/.exec(answer)?.[0] ?? null, path);
}

function ok(part: string, version: string | null, where: string): Finding {
  return { part, status: 'ok', version, where, note: null };
}

function missing(part: string, note: string): Finding {
  return { part, status: 'missing', version: null, where: null, note };
}

function none(part: string, note: string): Finding {
  return { part, status: 'none', version: null, where: null, note: `optional: ${note}` };
}

function up(part: string, where: string): Finding {
  return { part, status: 'up', version: null, where, note: null };
}

function down(part: string, where: string | null): Finding {
  return { part, status: 'down', version: null, where, note: '`retrain up` starts it' };
}
