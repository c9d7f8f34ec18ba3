import { randomUUID } from 'node:crypto';
import { createMlflow, type Mlflow } from '../../../integrations/mlflow/client';
import type { HttpExchange } from '../../../integrations/mlflow/exchange';
import { resultTags } from '../../../integrations/mlflow/result-tag';
import type { RunOwner } from '../../../integrations/mlflow/run-owner';
import { runsOfKey } from '../../../integrations/mlflow/run-search';
import type { MlflowSettings } from '../../../integrations/mlflow/settings';
import { MlflowTransport } from '../../../integrations/mlflow/transport';
import { freshKey, trainingResult } from './training-result';

/** Where a request fails: before the server hears of it, or after it acted, its answer lost. */
export type Fault = 'before' | 'after';

/** The real connection, but for the requests that are hit, by their number. */
export function faulty(
  real: HttpExchange,
  fault: Fault,
  hits: (request: number) => boolean,
): HttpExchange & { sent: number } {
  const exchange = {
    sent: 0,
    async send(request: Parameters<HttpExchange['send']>[0]) {
      exchange.sent += 1;
      if (!hits(exchange.sent)) return real.send(request);
      if (fault === 'after') (await real.send(request)).body.resume();
      throw Object.assign(new Error('socket hang up'), { code: 'ECONNRESET' });
    },
    close: () => real.close(),
  };
  return exchange;
}

/** All that a run leaves in MLflow, as the activities do it, from the start each time. */
export async function wholeRun(
  mlflow: Mlflow,
  experiment: string,
  name: string,
  identity: RunOwner,
): Promise<{ runId: string; version: string }> {
  const experimentId = await mlflow.experiments.ensure(experiment);
  const opened = await mlflow.runs.open({
    experimentId,
    name,
    identity,
    tags: { data_hash: 'd' },
    params: { seed: 42 },
    datasets: [{ name: 'iris.csv', digest: 'd'.repeat(64), source: 'data/iris.csv' }],
  });
  const { runId, artifactUri } = opened.run;
  if (opened.state === 'finished') return { runId, version: opened.result.modelVersion };
  await mlflow.runs.log(runId, { metrics: { accuracy: 0.9 }, at: 1_700_000_000_000 });
  await mlflow.artifacts.uploadBytes(artifactUri, 'model/MLmodel', Buffer.from('flavors: {}\n'));
  const source = `runs:/${runId}/model`;
  const version = await mlflow.registry.findOrCreateVersion({
    name,
    runId,
    source,
    tags: { data_hash: 'd' },
  });
  await mlflow.registry.setAlias(name, 'production', version.version);
  const result = trainingResult({ pipelineKey: identity.pipelineKey, modelVersion: version.version });
  await mlflow.runs.finish(runId, 'FINISHED', {
    tags: resultTags(result),
    identity: { ...identity, experimentId },
  });
  return { runId, version: version.version };
}

/** What befalls runs on one server, real or in memory, and what is there after. */
export class CrashRig {
  readonly healthy: Mlflow;
  private readonly transport: MlflowTransport;

  /** @param connect a connection to the server */
  constructor(
    private readonly settings: MlflowSettings,
    private readonly connect: () => HttpExchange,
    readonly experiment = `crash-${randomUUID()}`,
  ) {
    this.healthy = createMlflow(settings, { exchange: connect() });
    this.transport = new MlflowTransport(settings, connect());
  }

  async close(): Promise<void> {
    await this.healthy.close();
    await this.transport.close();
  }

  identity(pipelineKey = freshKey()): RunOwner {
    return { pipelineKey, workflowId: `train-${pipelineKey.slice(0, 16)}`, workflowRunId: randomUUID() };
  }

  /** How many requests a whole run sends, once the experiment is there. */
  async requests(): Promise<number> {
    await this.healthy.experiments.ensure(this.experiment);
    const counted = faulty(this.connect(), 'before', () => false);
    const mlflow = createMlflow(this.settings, { exchange: counted });
    await wholeRun(mlflow, this.experiment, `warm-${randomUUID()}`, this.identity());
    await mlflow.close();
    return counted.sent;
  }

  /** The worker dies at a request, and all after it fail; the next attempt is a whole one. */
  async diesAt(request: number, fault: Fault): Promise<void> {
    const name = `crash-${randomUUID()}`;
    const identity = this.identity();
    await this.die(name, identity, request, fault);
    await wholeRun(this.healthy, this.experiment, name, identity);
    await this.requireOneOfEach(name, identity);
  }

  async die(name: string, identity: RunOwner, from: number, fault: Fault): Promise<void> {
    const dying = createMlflow(this.settings, {
      exchange: faulty(this.connect(), fault, (request) => request >= from),
      rule: { attempts: 1, firstWaitMs: 1, longestWaitMs: 1 },
    });
    await expect(wholeRun(dying, this.experiment, name, identity)).rejects.toMatchObject({
      code: 'MLFLOW_UNREACHABLE',
    });
    await dying.close();
  }

  /** The connection breaks at one request; the same attempt goes on. */
  async breaksAt(broken: number, fault: Fault): Promise<void> {
    const name = `crash-${randomUUID()}`;
    const identity = this.identity();
    const shaky = createMlflow(this.settings, {
      exchange: faulty(this.connect(), fault, (request) => request === broken),
      rule: { attempts: 3, firstWaitMs: 1, longestWaitMs: 5 },
    });
    await wholeRun(shaky, this.experiment, name, identity);
    await shaky.close();
    await this.requireOneOfEach(name, identity);
  }

  /** All active runs of a key, oldest first. */
  async runs({ pipelineKey }: RunOwner): Promise<{ runId: string; status: string }[]> {
    const experimentId = await this.healthy.experiments.ensure(this.experiment);
    const runs = await runsOfKey(this.transport, experimentId, pipelineKey);
    return runs.map(({ runId, status }) => ({ runId, status }));
  }

  private async requireOneOfEach(name: string, identity: RunOwner): Promise<void> {
    const runs = await this.runs(identity);
    expect(runs.map(({ status }) => status)).toEqual(['FINISHED']);
    const versions = await this.healthy.registry.listVersions(name);
    expect(versions.map(({ runId, aliases }) => [runId, aliases])).toEqual([
      [runs[0]?.runId, ['production']],
    ]);
  }
}
