import { Client } from '@temporalio/client';
import { RetrainError } from '../../contracts/errors';
import { TASK_QUEUE } from '../../contracts/names';
import { requireRoom } from '../../integrations/files/storage-trouble';
import { mlflowSettings } from '../../integrations/mlflow/settings';
import { projectIdentity } from '../../pipeline/run/project-identity';
import { connect } from '../../temporal/connect';
import { refuseForeignQueue } from '../../temporal/project-queue';
import { ensureSearchAttributes } from '../../temporal/search-attributes';
import { whenServing } from '../../temporal/when-serving';
import { namesServer, temporalSettings } from '../../temporal/settings';
import { writeStackFile, type StackFile } from './stack-file';
import type { Progress } from './progress';
import { runningFrom } from './pid-file';
import { ensureRunning, requireStartable, type Service, type ServiceState } from './service';
import { mlflowService, NAMESPACE, requireBuild, temporalService, workerService } from './services';
import { withStackLock } from './stack-lock';
import { apiPlan, apiService, type ApiPlan } from './api-service';
import type { StackSettings } from './stack-settings';

export type PartState = ServiceState | 'external' | 'left out';

/** Of the state folder's file system, in bytes: for the servers' databases, models and logs; less ends them in the middle of a run. */
const LEAST_ROOM = 64 << 20;

/** What `retrain up` did. */
export interface BroughtUp {
  temporal: StackFile['temporal'] & { state: PartState };
  mlflow: StackFile['mlflow'] & { state: PartState };
  worker: { pid: number | null; taskQueue: string; state: PartState; why?: string };
  /** `uri` is null when it was left out; `why` tells, or why it was restarted. */
  api: { uri: string | null; state: PartState; why?: string };
  durationMs: number;
}

/**
 * Brings up what is missing: Temporal and MLflow side by side, then the worker and the prediction API. A server that the environment
 * names (TEMPORAL_ADDRESS, MLFLOW_TRACKING_URI) is used instead of one of our own. Several at the same time wait
 * for one another. Interrupted, it leaves what it started for the next `up` or `down`.
 *
 * @throws RetrainError for the first part that does not come up; the others stay up. When a port is taken, or the disk of the state
 * folder is as good as full, nothing is started
 */
export async function bringUp(
  settings: StackSettings,
  options: { worker: boolean; api: boolean; progress: Progress },
): Promise<BroughtUp> {
  const { progress } = options;
  const startedMs = Date.now();
  if (options.worker) requireBuild();
  requireRoom(settings.state, LEAST_ROOM);
  return withStackLock(settings, progress, async () => {
    const plan: ApiPlan = options.api ? await apiPlan(settings) : { why: null };
    await requireStartable([
      ...ownServers(settings, progress),
      ...('model' in plan ? [apiService(settings, plan, null)] : []),
    ]);
    const parts = await Promise.allSettled([
      bringUpTemporal(settings, progress),
      bringUpMlflow(settings, progress),
    ]);
    const [temporal, mlflow] = [fulfilled(parts[0]), fulfilled(parts[1])];
    const taskQueue = settings.env['RETRAIN_TASK_QUEUE'] || TASK_QUEUE;
    const stack: StackFile = {
      temporal: withoutState(temporal),
      mlflow: withoutState(mlflow),
      taskQueue,
      worker: null,
      api: null,
    };
    writeStackFile(settings.state, stack);
    const processes = await Promise.allSettled([
      options.worker ? bringUpWorker(settings, stack, progress) : { pid: null, state: 'left out' as const },
      bringUpApi(settings, plan, stack, progress),
    ]);
    const [worker, api] = [settled(processes[0]), settled(processes[1])];
    writeStackFile(settings.state, {
      ...stack,
      worker: worker === null || worker.pid === null ? null : { pid: worker.pid },
      api: api === null || api.uri === null ? null : { uri: api.uri },
    });
    return {
      ...{
        temporal,
        mlflow,
        worker: { ...fulfilled(processes[0]), taskQueue },
        api: fulfilled(processes[1]),
      },
      durationMs: Date.now() - startedMs,
    };
  });
}

function ownServers(settings: StackSettings, progress: Progress): Service[] {
  return [
    ...(namesServer(settings.env) ? [] : [temporalService(settings, progress)]),
    ...(settings.env['MLFLOW_TRACKING_URI'] ? [] : [mlflowService(settings, progress)]),
  ];
}

async function bringUpTemporal(settings: StackSettings, progress: Progress): Promise<BroughtUp['temporal']> {
  if (namesServer(settings.env)) {
    const { address, namespace, uiUrl, connection: options } = temporalSettings(settings.env, null);
    const connection = await connect({ address, namespace, uiUrl, connection: options });
    const silent = { onAway: () => undefined, onBack: () => undefined };
    await whenServing(address, () => ensureSearchAttributes(connection, namespace), silent, 30_000).finally(
      () => connection.close(),
    );
    progress.done('Temporal', `answers at ${address}`);
    return { address, namespace, uiUrl, startedByUs: false, state: 'external' };
  }
  const { state } = await ensureRunning(temporalService(settings, progress), progress);
  progress.done('Temporal', news(state));
  return {
    address: `127.0.0.1:${settings.ports.temporal.port}`,
    uiUrl: `http://127.0.0.1:${settings.ports.temporalUi.port}`,
    namespace: NAMESPACE,
    startedByUs: true,
    state,
  };
}

async function bringUpMlflow(settings: StackSettings, progress: Progress): Promise<BroughtUp['mlflow']> {
  if (settings.env['MLFLOW_TRACKING_URI']) {
    const uri = await externalMlflow(settings);
    progress.done('MLflow', `answers at ${uri}`);
    return { uri, startedByUs: false, state: 'external' };
  }
  const { state } = await ensureRunning(mlflowService(settings, progress), progress);
  progress.done('MLflow', news(state));
  return { uri: `http://127.0.0.1:${settings.ports.mlflow.port}`, startedByUs: true, state };
}

/** @throws RetrainError MLFLOW_UNREACHABLE, MLFLOW_REFUSED */
async function externalMlflow({ env }: StackSettings): Promise<string> {
  const mlflow = mlflowSettings(env);
  const question = `${mlflow.uri}/api/2.0/mlflow/experiments/search?max_results=1`;
  let response: Response;
  try {
    response = await fetch(question, { headers: mlflow.headers(), signal: AbortSignal.timeout(10_000) });
    await response.body?.cancel();
  } catch (error) {
    const cause =
      error instanceof Error && error.cause instanceof Error ? error.cause.message : String(error);
    throw new RetrainError(
      'MLFLOW_UNREACHABLE',
      `no MLflow server answers at ${mlflow.uri} (${cause}); correct MLFLOW_TRACKING_URI, or unset it for a local server`,
      { cause: error },
    );
  }
  if (response.ok) return mlflow.uri;
  throw new RetrainError(
    'MLFLOW_REFUSED',
    `MLflow at ${mlflow.uri} answered ${response.status}; for 401 or 403 check MLFLOW_TRACKING_USERNAME, MLFLOW_TRACKING_PASSWORD or MLFLOW_TRACKING_TOKEN`,
  );
}

async function bringUpWorker(
  settings: StackSettings,
  stack: StackFile,
  progress: Progress,
): Promise<{ pid: number; state: PartState; why?: string }> {
  const { temporal, mlflow, taskQueue } = stack;
  const service = workerService(settings, [
    `Temporal ${temporal.address} ${temporal.namespace}`,
    `MLflow ${mlflow.uri}`,
    `queue ${taskQueue}`,
  ]);
  if (runningFrom(service.pidFile) === null) await refuseForeign(settings, stack, taskQueue);
  const worker = await ensureRunning(service, progress);
  progress.done('Worker', worker.why === undefined ? news(worker.state) : `restarted: ${worker.why}`);
  return worker;
}

async function bringUpApi(
  settings: StackSettings,
  plan: ApiPlan,
  { mlflow }: StackFile,
  progress: Progress,
): Promise<BroughtUp['api']> {
  if (!('model' in plan))
    return { uri: null, state: 'left out', ...(plan.why !== null && { why: plan.why }) };
  const api = await ensureRunning(apiService(settings, plan, mlflow.uri), progress);
  progress.done('API', api.why === undefined ? news(api.state) : `restarted: ${api.why}`);
  return { uri: plan.uri, state: api.state, ...(api.why !== undefined && { why: api.why }) };
}

/** The worker looks by itself, too; here its words are the command's own. @throws RetrainError QUEUE_TAKEN */
async function refuseForeign(
  { project, state, env }: StackSettings,
  stack: StackFile,
  taskQueue: string,
): Promise<void> {
  const temporal = temporalSettings(env, stack);
  const own = await projectIdentity(project, state, env);
  const connection = await connect(temporal);
  try {
    await refuseForeignQueue(new Client({ connection, namespace: temporal.namespace }), taskQueue, own);
  } finally {
    await connection.close();
  }
}

/** What ran before is told in the summary only. */
function news(state: ServiceState): string | null {
  return state === 'already running' ? null : state;
}

function settled<T>(result: PromiseSettledResult<T>): T | null {
  return result.status === 'fulfilled' ? result.value : null;
}

function fulfilled<T>(result: PromiseSettledResult<T>): T {
  if (result.status === 'fulfilled') return result.value;
  throw result.reason;
}

function withoutState<T extends { state: PartState }>({ state: _state, ...part }: T): Omit<T, 'state'> {
  return part;
}
