import { randomUUID } from 'node:crypto';
import { createMlflow, type Mlflow } from '../../integrations/mlflow/client';
import { findFinished } from '../../integrations/mlflow/finished-run';
import { resultTags } from '../../integrations/mlflow/result-tag';
import type { OpenRunRequest } from '../../integrations/mlflow/runs';
import { runsOfKey } from '../../integrations/mlflow/run-search';
import { mlflowSettings } from '../../integrations/mlflow/settings';
import { MlflowTransport } from '../../integrations/mlflow/transport';
import { undiciExchange } from '../../integrations/mlflow/undici-exchange';
import { freshKey, trainingResult } from '../integrations/mlflow/training-result';

const settings = mlflowSettings({ MLFLOW_TRACKING_URI: process.env['RETRAIN_TEST_MLFLOW_URI'] });

describe('runs on a real MLflow server', () => {
  let mlflow: Mlflow;
  let transport: MlflowTransport;
  let experiment: string;
  let experimentId: string;

  beforeAll(async () => {
    mlflow = createMlflow(settings);
    transport = new MlflowTransport(settings, undiciExchange());
    experiment = `runs-${randomUUID()}`;
    experimentId = await mlflow.experiments.ensure(experiment);
  });

  afterAll(async () => {
    await mlflow.close();
    await transport.close();
  });

  function request(pipelineKey: string, change: Partial<OpenRunRequest['identity']> = {}): OpenRunRequest {
    return {
      experimentId,
      name: 'iris-classifier',
      identity: { pipelineKey, workflowId: 'train-iris', workflowRunId: 'first', ...change },
      tags: { data_hash: 'd'.repeat(64), 'data_md5.data/iris [v2].csv': 'abc' },
      params: { 'train.n_estimators': 100, 'train.max_depth': null, note: 'x'.repeat(7000) },
      datasets: [
        { name: 'iris.csv', digest: 'e'.repeat(64), source: 'data/iris.csv', profile: { rows: 150 } },
      ],
    };
  }

  const runsWith = (key: string): ReturnType<typeof runsOfKey> => runsOfKey(transport, experimentId, key);

  test('an experiment is made once, also when many ask at once', async () => {
    const name = `race-${randomUUID()}`;
    const ids = await Promise.all(Array.from({ length: 8 }, () => mlflow.experiments.ensure(name)));
    expect(new Set(ids).size).toBe(1);
  });

  test('a deleted experiment is said to be deleted, with the way back', async () => {
    const name = `deleted-${randomUUID()}`;
    const id = await mlflow.experiments.ensure(name);
    await fetch(`${settings.uri}/api/2.0/mlflow/experiments/delete`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ experiment_id: id }),
    });
    await expect(mlflow.experiments.ensure(name)).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
      message: expect.stringContaining(`mlflow experiments restore --experiment-id ${id}`) as string,
    });
  });

  test('a run opens with its identity, tags, params and dataset', async () => {
    const key = freshKey();
    const opened = await mlflow.runs.open(request(key));
    expect(opened).toMatchObject({ state: 'open', reused: false });
    const run = await mlflow.runs.get(opened.run.runId);
    expect(run.status).toBe('RUNNING');
    expect(run.tags).toMatchObject({
      pipeline_key: key,
      workflow_id: 'train-iris',
      workflow_run_id: 'first',
      data_hash: 'd'.repeat(64),
    });
    expect(Object.keys(run.tags)).toContainEqual(
      expect.stringMatching(/^data_md5\.data\/iris _v2_\.csv_[0-9a-f]{8}$/),
    );
    expect(run.params).toMatchObject({ 'train.n_estimators': '100', 'train.max_depth': 'null' });
    expect(run.params['note']).toMatch(/^x+… \(cut, 7000 characters\)$/);
    const raw = (await (
      await fetch(`${settings.uri}/api/2.0/mlflow/runs/get?run_id=${run.runId}`)
    ).json()) as {
      run: { inputs: { dataset_inputs: { dataset: { name: string; digest: string } }[] } };
    };
    expect(raw.run.inputs.dataset_inputs).toMatchObject([
      { dataset: { name: 'iris.csv', digest: 'e'.repeat(36) } },
    ]);
  });

  test('opening again in the same workflow run gives the same run', async () => {
    const key = freshKey();
    const first = await mlflow.runs.open(request(key));
    const again = await mlflow.runs.open(request(key));
    expect(again).toMatchObject({ state: 'open', reused: true, run: { runId: first.run.runId } });
    expect(await runsWith(key)).toHaveLength(1);
  });

  test('six attempts at once leave one run, and all hold that one', async () => {
    const key = freshKey();
    const opened = await Promise.all(Array.from({ length: 6 }, () => mlflow.runs.open(request(key))));
    const left = await runsWith(key);
    expect(left).toHaveLength(1);
    const last = await mlflow.runs.open(request(key));
    expect(last.run.runId).toBe(left[0]?.runId);
    expect(opened.map((one) => one.run.runId)).toContain(left[0]?.runId);
  });

  test('a finished run with a result is given back instead of a new one', async () => {
    const key = freshKey();
    const { run } = await mlflow.runs.open(request(key));
    const result = trainingResult({
      pipelineKey: key,
      mlflowRunId: run.runId,
      mlflowExperimentId: experimentId,
    });
    await mlflow.runs.finish(run.runId, 'FINISHED', { tags: resultTags(result) });
    await mlflow.runs.finish(run.runId, 'FINISHED', { tags: resultTags(result) });
    const again = await mlflow.runs.open(request(key, { workflowRunId: 'second' }));
    expect(again).toMatchObject({ state: 'finished', result });
    expect(await findFinished(settings, experiment, key)).toEqual(result);
    expect(await findFinished(settings, experiment, freshKey())).toBeNull();
    expect(await findFinished(settings, 'no such experiment', key)).toBeNull();
  });

  test('a forced run is fresh, is found by its own retry, and becomes the newest result', async () => {
    const key = freshKey();
    const { run } = await mlflow.runs.open(request(key));
    await mlflow.runs.finish(run.runId, 'FINISHED', {
      tags: resultTags(trainingResult({ pipelineKey: key })),
    });
    const forced = { forceId: 'f1', workflowId: 'train-iris-f1', workflowRunId: 'forced' };
    const opened = await mlflow.runs.open(request(key, forced));
    expect(opened.state).toBe('open');
    expect(opened.run.runId).not.toBe(run.runId);
    const result = trainingResult({ pipelineKey: key, modelVersion: '2' });
    await mlflow.runs.finish(opened.run.runId, 'FINISHED', { tags: resultTags(result) });
    expect(await mlflow.runs.open(request(key, forced))).toMatchObject({ state: 'finished', result });
    expect((await findFinished(settings, experiment, key))?.modelVersion).toBe('2');
  });

  test('a run of an earlier run of the same workflow is marked KILLED, one of another workflow is left alone', async () => {
    const key = freshKey();
    const orphan = await mlflow.runs.open(request(key));
    const other = await mlflow.runs.open(
      request(key, { workflowId: 'other', workflowRunId: 'o', forceId: 'x' }),
    );
    const mine = await mlflow.runs.open(request(key, { workflowRunId: 'second' }));
    expect(mine).toMatchObject({ state: 'open', reused: false });
    expect(await mlflow.runs.get(orphan.run.runId)).toMatchObject({
      status: 'KILLED',
      tags: { failure_reason: 'its workflow run first is over' },
    });
    expect((await mlflow.runs.get(other.run.runId)).status).toBe('RUNNING');
  });

  test('a failed run is no result: the next one is new', async () => {
    const key = freshKey();
    const { run } = await mlflow.runs.open(request(key));
    await mlflow.runs.finish(run.runId, 'FAILED', { tags: { failure_reason: 'no such column' } });
    const again = await mlflow.runs.open(request(key));
    expect(again).toMatchObject({ state: 'open', reused: false });
  });

  test('finishing deletes the twin that a late answer left behind', async () => {
    const key = freshKey();
    const wanted = request(key);
    const { run } = await mlflow.runs.open(wanted);
    await fetch(`${settings.uri}/api/2.0/mlflow/runs/create`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({
        experiment_id: experimentId,
        start_time: 1,
        tags: [
          { key: 'pipeline_key', value: key },
          { key: 'workflow_id', value: 'train-iris' },
          { key: 'workflow_run_id', value: 'first' },
        ],
      }),
    });
    expect(await runsWith(key)).toHaveLength(2);
    await mlflow.runs.finish(run.runId, 'FINISHED', { identity: { ...wanted.identity, experimentId } });
    expect((await runsWith(key)).map((left) => left.runId)).toEqual([run.runId]);
  });

  test('many params, tags and metrics go in batches, and twice is the same as once', async () => {
    const key = freshKey();
    const { run } = await mlflow.runs.open({
      ...request(key),
      tags: Object.fromEntries(Array.from({ length: 230 }, (_, i) => [`t${i}`, 'v'])),
    });
    const log = {
      params: Object.fromEntries(Array.from({ length: 250 }, (_, i) => [`p${i}`, i])),
      metrics: Object.fromEntries(Array.from({ length: 1500 }, (_, i) => [`m${i}`, i / 2])),
      at: 1_700_000_000_000,
    };
    await mlflow.runs.log(run.runId, log);
    await mlflow.runs.log(run.runId, log);
    const read = await mlflow.runs.get(run.runId);
    expect(read.params).toMatchObject({ p249: '249' });
    expect(read.tags).toMatchObject({ t229: 'v' });
    expect(read.metrics['m1499']).toBe(749.5);
    const history = (await (
      await fetch(`${settings.uri}/api/2.0/mlflow/metrics/get-history?run_id=${run.runId}&metric_key=m7`)
    ).json()) as { metrics: unknown[] };
    expect(history.metrics).toHaveLength(1);
  });

  test('a param cannot change: the server’s refusal names it', async () => {
    const { run } = await mlflow.runs.open(request(freshKey()));
    await expect(mlflow.runs.log(run.runId, { params: { 'train.n_estimators': 101 } })).rejects.toMatchObject(
      {
        code: 'MLFLOW_REFUSED',
        retryable: false,
        message: expect.stringContaining('train.n_estimators') as string,
      },
    );
  });

  test('a run that does not exist is NOT_FOUND', async () => {
    await expect(mlflow.runs.get('0'.repeat(32))).rejects.toMatchObject({ code: 'NOT_FOUND', status: 404 });
  });

  test('the list has the newest runs first and leaves out what others logged', async () => {
    const name = `list-${randomUUID()}`;
    const id = await mlflow.experiments.ensure(name);
    await fetch(`${settings.uri}/api/2.0/mlflow/runs/create`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ experiment_id: id, start_time: Date.now() }),
    });
    const keys = [freshKey(), freshKey(), freshKey()];
    for (const key of keys) await mlflow.runs.open({ ...request(key), experimentId: id });
    const listed = await mlflow.runs.list([id], 2);
    expect(listed.map((run) => run.tags['pipeline_key'])).toEqual([keys[2], keys[1]]);
  });
});
