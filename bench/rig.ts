import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Client, Connection } from '@temporalio/client';
import { DefaultLogger, NativeConnection, Runtime, Worker } from '@temporalio/worker';
import { parse, stringify } from 'yaml';
import { RetrainError } from '../contracts/errors';
import { gitState } from '../integrations/git/git-state';
import { type RunSpec } from '../contracts/run';
import { createMlflow, type Mlflow } from '../integrations/mlflow/client';
import { type HttpExchange } from '../integrations/mlflow/exchange';
import { undiciExchange } from '../integrations/mlflow/undici-exchange';
import { identifyRun } from '../pipeline/run/identify-run';
import { startSecret, withSeal } from '../pipeline/run/start-seal';
import { readStageCode } from '../pipeline/stage-code';
import { startOrAttach } from '../temporal/start-run';
import { readStackFile } from '../client/stack/stack-file';
import { loadWorkerConfig, type WorkerConfig } from '../worker/config';
import { startWorker } from '../worker/worker';
import { BusyClock } from './measure';

const ROOT = path.resolve(__dirname, '..', '..');

export interface Rig {
  client: Client;
  taskQueue: string;
  /** The stack's own. */
  mlflow: Mlflow;
  /** Params and lineage of a run on iris. */
  spec(model: string): Promise<RunSpec>;
  /** Time in which a stage computed or MLflow was answering. */
  busy: BusyClock;
  /** Five empty activities. */
  bare(id: string): Promise<void>;
  /** A whole run on iris, from start to its result, under a model of its own unless one is given. */
  pipeline(seed: number, model?: string): Promise<void>;
  close(): Promise<void>;
}

/**
 * A worker of ours and one with the bare workflow, in this process, on the servers of `retrain up`.
 *
 * @param exchange Stands in for MLflow's own HTTP, to take its time out.
 */
export async function buildRig(exchange?: HttpExchange): Promise<Rig> {
  if (readStackFile(path.join(ROOT, '.retrain')) === null)
    throw new RetrainError('TEMPORAL_UNREACHABLE', 'this benchmark needs the stack; run `retrain up` first');
  const logger = new DefaultLogger('ERROR');
  Runtime.install({ logger, telemetryOptions: { logging: { forward: {}, filter: 'ERROR' } } });
  const project = mkdtempSync(path.join(tmpdir(), 'retrain-bench-'));
  mkdirSync(path.join(project, 'data'));
  cpSync(path.join(ROOT, 'data', 'iris.csv'), path.join(project, 'data', 'iris.csv'));
  const params = parse(readFileSync(path.join(ROOT, 'params.yaml'), 'utf8')) as Record<string, unknown>;
  writeFileSync(path.join(project, 'params.yaml'), stringify(params));
  const config: WorkerConfig = {
    ...loadWorkerConfig(ROOT),
    project,
    taskQueue: `bench-${process.pid}`,
    cache: path.join(project, '.dvc', 'cache'),
    scratchDir: path.join(project, '.retrain', 'scratch'),
  };
  const { temporal, taskQueue } = config;
  const busy = new BusyClock();
  const inner = exchange ?? undiciExchange();
  const timedExchange: HttpExchange = {
    send: (request) => busy.during(() => inner.send(request)),
    close: () => inner.close(),
  };
  const worker = await startWorker(config, logger, (services) => ({
    ...services,
    mlflow: createMlflow(config.mlflow, { exchange: timedExchange }),
    executor: { run: (stage, dir, options) => busy.during(() => services.executor.run(stage, dir, options)) },
  }));
  const bareWorker = await startBare(temporal.address, temporal.namespace, `${taskQueue}-bare`);
  const connection = await Connection.connect(temporal.connection);
  const client = new Client({ connection, namespace: temporal.namespace });
  const code = await readStageCode(config.stageCodeFile);
  const git = await gitState(ROOT);

  const mlflow = createMlflow(config.mlflow);
  // As the project's own command line does: a stranger's spec may not change these params.
  const secret = startSecret(config.stateDir, config.stageEnv);
  const spec = async (overrides: Record<string, unknown>): Promise<RunSpec> => {
    const identity = await identifyRun({
      ...{ project, paramsPath: 'params.yaml', overrides, code, imageDigest },
    });
    return withSeal({ ...identity, git }, secret);
  };

  return {
    client,
    taskQueue,
    mlflow,
    spec: (model) => spec({ model, experiment: 'bench' }),
    busy,
    async bare(workflowId) {
      await client.workflow.execute('bare', { taskQueue: `${taskQueue}-bare`, workflowId });
    },
    async pipeline(seed, model = `bench-${process.pid}-${seed}`) {
      const overrides = { model, experiment: 'bench', train: { seed } };
      const started = await startOrAttach(await spec(overrides), {
        client,
        taskQueue,
        starterId: String(seed),
        findFinished: async () => null,
      });
      if (started.how !== 'finished')
        await client.workflow.getHandle(started.workflowId, started.workflowRunId).result();
    },
    async close() {
      worker.shutdown();
      bareWorker.stop();
      await Promise.all([worker.done, bareWorker.done, mlflow.close()]);
      await connection.close();
      rmSync(project, { recursive: true, force: true });
    },
  };
}

/** Iris runs in process. */
async function imageDigest(image: string): Promise<string> {
  throw new Error(`no image is needed, ${image} was asked for`);
}

async function startBare(
  address: string,
  namespace: string,
  taskQueue: string,
): Promise<{ stop(): void; done: Promise<void> }> {
  const connection = await NativeConnection.connect({ address });
  const worker = await Worker.create({
    connection,
    namespace,
    taskQueue,
    workflowsPath: require.resolve('./bare/workflow'),
    activities: { async nothing() {} },
  });
  return { stop: () => worker.shutdown(), done: worker.run().finally(() => connection.close()) };
}
