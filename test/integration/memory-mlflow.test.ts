import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import { createMlflow, type Mlflow } from '../../integrations/mlflow/client';
import type { HttpExchange } from '../../integrations/mlflow/exchange';
import { mlflowSettings } from '../../integrations/mlflow/settings';
import { MlflowTransport } from '../../integrations/mlflow/transport';
import { undiciExchange } from '../../integrations/mlflow/undici-exchange';
import { MemoryMlflow } from '../integrations/mlflow/memory-mlflow';

const Anything = z.looseObject({});
const OneRun = z.looseObject({ run: z.looseObject({ info: z.looseObject({ run_id: z.string() }) }) });
const OneVersion = z.looseObject({ model_version: z.looseObject({ version: z.coerce.string() }) });

interface Server {
  name: string;
  uri: string;
  connect: () => HttpExchange;
}

const memory = new MemoryMlflow();
const SERVERS: readonly Server[] = [
  { name: 'in memory', uri: 'http://memory', connect: () => memory },
  {
    name: 'the real one',
    uri: process.env['RETRAIN_TEST_MLFLOW_URI'] ?? '',
    connect: () => undiciExchange(),
  },
];

describe.each(SERVERS)('what our code has to live with in MLflow: $name', ({ uri, connect }) => {
  const settings = mlflowSettings({ MLFLOW_TRACKING_URI: uri });
  const name = `contract-${randomUUID()}`;
  let mlflow: Mlflow;
  let transport: MlflowTransport;
  let experiment: string;

  beforeAll(async () => {
    mlflow = createMlflow(settings, { exchange: connect() });
    transport = new MlflowTransport(settings, connect());
    experiment = await mlflow.experiments.ensure(name);
    await mlflow.registry.ensureModel(name);
  });
  afterAll(async () => {
    await mlflow.close();
    await transport.close();
  });

  async function createRun(key: string): Promise<string> {
    const tags = [{ key: 'pipeline_key', value: key }];
    const body = { experiment_id: experiment, run_name: 'r', start_time: Date.now(), tags };
    return (await transport.post('runs/create', body, OneRun)).run.info.run_id;
  }

  async function createVersion(runId: string): Promise<string> {
    const source = `mlflow-artifacts:/${experiment}/${runId}/artifacts/model`;
    const created = await transport.post(
      'model-versions/create',
      { name, run_id: runId, source, tags: [] },
      OneVersion,
    );
    return created.model_version.version;
  }

  const refusal = (error: unknown): unknown => {
    const { status, serverCode } = error as { status?: number; serverCode?: string };
    return { status, serverCode };
  };

  test('names of experiments and registered models are unique', async () => {
    const twice = { status: 400, serverCode: 'RESOURCE_ALREADY_EXISTS' };
    expect(await transport.post('experiments/create', { name }, Anything).catch(refusal)).toEqual(twice);
    expect(await transport.post('registered-models/create', { name }, Anything).catch(refusal)).toEqual(
      twice,
    );
  });

  test('creating a run again makes another one; a search by tag finds both, and a deleted one no more', async () => {
    const key = randomUUID();
    const [first, second] = [await createRun(key), await createRun(key)];
    const found = async (): Promise<string[]> => {
      const filter = `tags.pipeline_key = '${key}'`;
      const query = {
        experiment_ids: [experiment],
        filter,
        order_by: ['attributes.start_time ASC'],
        max_results: 10,
      };
      const Page = z.looseObject({ runs: z.array(OneRun.shape.run).default([]) });
      return (await transport.post('runs/search', query, Page)).runs.map(({ info }) => info.run_id);
    };
    expect((await found()).sort()).toEqual([first, second].sort());
    await mlflow.runs.delete(first);
    expect(await found()).toEqual([second]);
    expect((await mlflow.runs.get(first)).deleted).toBe(true);
    await expect(mlflow.runs.log(first, { tags: { a: 'b' } })).rejects.toMatchObject({
      code: 'MLFLOW_REFUSED',
    });
  });

  test('params are immutable, tags and metrics are not', async () => {
    const runId = await createRun(randomUUID());
    const log = { params: { seed: 42 }, tags: { a: '1' }, metrics: { m: 1 }, at: 1 };
    await mlflow.runs.log(runId, log);
    await mlflow.runs.log(runId, log);
    await mlflow.runs.log(runId, { tags: { a: '2' }, metrics: { m: 2 }, at: 2 });
    await expect(mlflow.runs.log(runId, { params: { seed: 43 } })).rejects.toMatchObject({
      code: 'MLFLOW_REFUSED',
    });
    await mlflow.runs.finish(runId, 'FINISHED');
    expect(await mlflow.runs.get(runId)).toMatchObject({
      ...{ status: 'FINISHED', params: { seed: '42' }, tags: { a: '2' }, metrics: { m: 2 } },
      endedAt: expect.any(Number) as number,
    });
  });

  test('creating a version again makes another one, and a number is not given twice', async () => {
    const runId = await createRun(randomUUID());
    const first = Number(await createVersion(runId));
    const second = await createVersion(runId);
    expect(Number(second)).toBe(first + 1);
    await mlflow.registry.deleteVersion(name, second);
    expect(Number(await createVersion(runId))).toBe(first + 2);
    const foreign = {
      name,
      run_id: runId,
      source: 'mlflow-artifacts:/1/someone-else/artifacts/model',
      tags: [],
    };
    expect(await transport.post('model-versions/create', foreign, Anything).catch(refusal)).toMatchObject({
      status: 400,
    });
  });

  test('an alias that is not set is a bad request; one that is set moves, and searches leave it out', async () => {
    const versions = [
      await createVersion(await createRun(randomUUID())),
      await createVersion(await createRun(randomUUID())),
    ];
    const ask = (): Promise<unknown> =>
      transport.get('registered-models/alias', { name, alias: 'production' }, OneVersion);
    expect(await ask().catch(refusal)).toEqual({ status: 400, serverCode: 'INVALID_PARAMETER_VALUE' });
    for (const version of versions) await mlflow.registry.setAlias(name, 'production', version);
    expect(await ask()).toMatchObject({ model_version: { version: versions[1] } });
    const Page = z.looseObject({
      model_versions: z.array(z.looseObject({ aliases: z.array(z.string()).default([]) })),
    });
    const { model_versions: found } = await transport.get(
      'model-versions/search',
      { filter: `name='${name}'` },
      Page,
    );
    expect(found.flatMap(({ aliases }) => aliases)).toEqual([]);
    await expect(mlflow.registry.setAlias(name, 'v7', versions[0] ?? '')).rejects.toMatchObject({
      code: 'MLFLOW_REFUSED',
    });
  });

  test('a stage archives the version that had it', async () => {
    const versions = [
      await createVersion(await createRun(randomUUID())),
      await createVersion(await createRun(randomUUID())),
    ];
    for (const version of versions) await mlflow.registry.transitionStage(name, version, 'Production');
    const stages = await Promise.all(versions.map((version) => mlflow.registry.getVersion(name, version)));
    expect(stages.map(({ stage }) => stage)).toEqual(['Archived', 'Production']);
  });

  test('what is not there is not there', async () => {
    const gone = { status: 404, serverCode: 'RESOURCE_DOES_NOT_EXIST' };
    expect(await transport.get('runs/get', { run_id: '0'.repeat(32) }, Anything).catch(refusal)).toEqual(
      gone,
    );
    expect(
      await transport.get('registered-models/get', { name: randomUUID() }, Anything).catch(refusal),
    ).toEqual(gone);
    expect(
      await transport.get('model-versions/get', { name, version: '999' }, Anything).catch(refusal),
    ).toEqual(gone);
    expect(await mlflow.experiments.find(randomUUID())).toBeNull();
  });

  test('files replace themselves, and are listed by folder', async () => {
    const { artifactUri } = await mlflow.runs.get(await createRun(randomUUID()));
    await mlflow.artifacts.uploadBytes(artifactUri, 'model/a b.json', Buffer.from('1'));
    await mlflow.artifacts.uploadBytes(artifactUri, 'model/a b.json', Buffer.from('22'));
    await mlflow.artifacts.uploadBytes(artifactUri, 'model/data/c', Buffer.from('333'));
    expect(Buffer.from(await mlflow.artifacts.downloadBytes(artifactUri, 'model/a b.json')).toString()).toBe(
      '22',
    );
    expect(await mlflow.artifacts.listFiles(artifactUri, 'model')).toEqual([
      { path: 'a b.json', isDirectory: false, sizeBytes: 2 },
      { path: 'data/c', isDirectory: false, sizeBytes: 3 },
    ]);
    await expect(mlflow.artifacts.downloadBytes(artifactUri, 'model/none')).rejects.toMatchObject({
      code: 'NOT_FOUND',
    });
  });
});
