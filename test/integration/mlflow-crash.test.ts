import { randomUUID } from 'node:crypto';
import { createMlflow, type Mlflow } from '../../integrations/mlflow/client';
import type { HttpExchange } from '../../integrations/mlflow/exchange';
import { plainExchange } from '../../integrations/mlflow/plain-exchange';
import { resultTags } from '../../integrations/mlflow/result-tag';
import type { RunOwner } from '../../integrations/mlflow/run-owner';
import { runsOfKey } from '../../integrations/mlflow/run-search';
import { mlflowSettings } from '../../integrations/mlflow/settings';
import { MlflowTransport } from '../../integrations/mlflow/transport';
import { freshKey, trainingResult } from '../integrations/mlflow/training-result';

const settings = mlflowSettings({ MLFLOW_TRACKING_URI: process.env['RETRAIN_TEST_MLFLOW_URI'] });

/** Where a request fails: before the server hears of it, or after it acted, its answer lost. */
type Fault = 'before' | 'after';

/** The real connection, but for the requests of one number, or from that number on. */
function faulty(fault: Fault, hits: (request: number) => boolean): HttpExchange & { sent: number } {
  const real = plainExchange();
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
async function wholeRun(
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
    dataset: { name: 'iris.csv', digest: 'd'.repeat(64), source: 'data/iris.csv' },
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

describe('a run whose worker dies, or whose answers are lost, at every request', () => {
  const transport = new MlflowTransport(settings, plainExchange());
  const experiment = `crash-${randomUUID()}`;
  let healthy: Mlflow;
  let requests: number;

  beforeAll(async () => {
    healthy = createMlflow(settings);
    await healthy.experiments.ensure(experiment);
    const counted = faulty('before', () => false);
    const mlflow = createMlflow(settings, { exchange: counted });
    await wholeRun(mlflow, experiment, `warm-${randomUUID()}`, identityOf(freshKey()));
    await mlflow.close();
    requests = counted.sent;
  });

  afterAll(async () => {
    await healthy.close();
    await transport.close();
  });

  function identityOf(pipelineKey: string): RunOwner {
    return { pipelineKey, workflowId: `train-${pipelineKey.slice(0, 16)}`, workflowRunId: randomUUID() };
  }

  async function requireOneOfEach(name: string, identity: RunOwner): Promise<void> {
    const experimentId = await healthy.experiments.ensure(experiment);
    const runs = await runsOfKey(transport, experimentId, identity.pipelineKey);
    expect(runs.map(({ status }) => status)).toEqual(['FINISHED']);
    const versions = await healthy.registry.listVersions(name);
    expect(versions.map(({ runId, aliases }) => [runId, aliases])).toEqual([
      [runs[0]?.runId, ['production']],
    ]);
  }

  test('a whole run is about twenty requests', () => {
    expect(requests).toBeGreaterThan(12);
    expect(requests).toBeLessThan(25);
  });

  test.each(['before', 'after'] as const)(
    'the worker dies %s the effect of request 1, 2, 3 …: the next attempt leaves one run and one version',
    async (fault) => {
      for (let k = 1; k <= requests; k += 1) {
        const name = `crash-${randomUUID()}`;
        const identity = identityOf(freshKey());
        const dying = createMlflow(settings, {
          exchange: faulty(fault, (request) => request >= k),
          rule: { attempts: 1, firstWaitMs: 1, longestWaitMs: 1 },
        });
        await expect(wholeRun(dying, experiment, name, identity)).rejects.toMatchObject({
          code: 'MLFLOW_UNREACHABLE',
        });
        await dying.close();
        await wholeRun(healthy, experiment, name, identity);
        await requireOneOfEach(name, identity);
      }
    },
    120_000,
  );

  test.each(['before', 'after'] as const)(
    'the connection breaks once %s the effect of request 1, 2, 3 …: the same attempt goes on and leaves one of each',
    async (fault) => {
      for (let k = 1; k <= requests; k += 1) {
        const name = `crash-${randomUUID()}`;
        const identity = identityOf(freshKey());
        const shaky = createMlflow(settings, {
          exchange: faulty(fault, (request) => request === k),
          rule: { attempts: 3, firstWaitMs: 1, longestWaitMs: 5 },
        });
        await wholeRun(shaky, experiment, name, identity);
        await shaky.close();
        await requireOneOfEach(name, identity);
      }
    },
    120_000,
  );

  test('a worker of the next workflow run finds the dead one’s run and marks it KILLED', async () => {
    const name = `crash-${randomUUID()}`;
    const identity = identityOf(freshKey());
    const dying = createMlflow(settings, {
      exchange: faulty('after', (request) => request >= 6),
      rule: { attempts: 1, firstWaitMs: 1, longestWaitMs: 1 },
    });
    await expect(wholeRun(dying, experiment, name, identity)).rejects.toThrow();
    await dying.close();
    const next = { ...identity, workflowRunId: randomUUID() };
    const { runId } = await wholeRun(healthy, experiment, name, next);
    const experimentId = await healthy.experiments.ensure(experiment);
    const runs = await runsOfKey(transport, experimentId, identity.pipelineKey);
    expect(runs.map((run) => [run.runId === runId, run.status])).toEqual([
      [false, 'KILLED'],
      [true, 'FINISHED'],
    ]);
  });
});
