import { loadModel, readPredictions } from '../../../serving/predict';
import { RegistryView } from '../pipeline/registry-view';
import { TestProject } from '../pipeline/test-project';
import { BETWEEN, underMoves } from './alias-moves';
import { ServedProject } from './served';

jest.setTimeout(180_000);

describe('retrain serve', () => {
  const project = new TestProject({}, { RETRAIN_API_ADMIN_TOKEN: 'let-me-in' });
  const { registry } = new RegistryView(project.model).mlflow;
  const view = new RegistryView(project.model);
  let api: ServedProject;
  const servedWith = (serving: object): Promise<ServedProject> => {
    project.writeParams({ serving });
    return new ServedProject(project).listening();
  };

  beforeAll(async () => {
    await project.startWorker();
    api = await new ServedProject(project).listening();
  });
  afterAll(async () => {
    await api.end('SIGKILL');
    await project.remove();
    await view.close();
  });

  test('waits for a production version, says what to do, and takes it when it comes', async () => {
    const { body } = await api.until('/ready', (said) => String(said.body['why']).includes('promote'));
    expect(body).toEqual({
      ready: false,
      why: `${project.model} has no version in production; train one (\`retrain start\`), or promote one: \`retrain promote ${project.model}@VERSION\``,
    });
    expect(await api.ask('/predict', BETWEEN)).toMatchObject({
      status: 503,
      body: { status: 503, detail: body['why'] },
    });
    await project.start('--wait');
    await api.until('/ready', ({ status }) => status === 200);
    expect((await api.ask('/model/info')).body).toMatchObject({
      ...{ model_name: project.model, model_version: '1', model_stage: 'Production', alias: 'production' },
      run_id: (await view.runs())[0]?.runId,
      data_hash: (await view.versions())[0]?.tags['data_hash'],
      metrics: { accuracy: expect.any(Number) as number },
      signature: { inputs: [{ name: 'sepal_length', type: 'number' }, {}, {}, {}] },
    });
  });

  test('answers alike by every protocol, and by names that differ in case and dashes', async () => {
    const { status, body } = await api.ask('/predict', {
      'Sepal-Length': 5.1,
      sepalWidth: 3.5,
      PETAL_LENGTH: 1.4,
      'petal width': 0.2,
    });
    expect({ status, body }).toMatchObject({
      status: 200,
      body: { prediction: 'setosa', model_version: '1' },
    });
    const row = { sepal_length: 5.1, sepal_width: 3.5, petal_length: 1.4, petal_width: 0.2 };
    expect((await api.ask('/invocations', { dataframe_records: [row] })).body).toEqual({
      predictions: ['setosa'],
    });
    const inputs = Object.entries(row).map(([name, cell]) => ({
      name,
      shape: [1],
      datatype: 'FP64',
      data: [cell],
    }));
    expect((await api.ask(`/v2/models/${project.model}/infer`, { inputs })).body).toMatchObject({
      outputs: [{ data: ['setosa'] }, { shape: [1, 3] }],
    });
  });

  test('while the alias moves under load, no request fails and each answer is of the version that it names', async () => {
    await project.start('--wait', '--set', 'train.n_estimators=3');
    const seen = await underMoves(api, view.mlflow, project.model, { moves: 20, least: 2000 });
    expect(seen.wrong.slice(0, 3)).toEqual([]);
    expect(seen.answers).toBeGreaterThanOrEqual(2000);
    expect(Object.keys(seen.byVersion).sort()).toEqual(['1', '2']);
  });

  test('refuses a version that is not what the registry says, goes on with the old one, and says why', async () => {
    const first = (await view.versions()).find(({ version }) => version === '1');
    const modelId = /^models:\/(m-\w+)/.exec(first?.source ?? '')?.[1];
    const made = await fetch(
      `${process.env['RETRAIN_TEST_MLFLOW_URI']}/api/2.0/mlflow/model-versions/create`,
      {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({
          name: project.model,
          source: first?.source,
          run_id: first?.runId,
          model_id: modelId,
        }),
      },
    );
    const answer = await made.text();
    if (!made.ok) throw new Error(`${first?.source}: ${answer}`);
    const before = (await api.ask('/model/info')).body['model_version'];
    await registry.setAlias(project.model, 'production', '3');
    const { body } = await api.until('/health', (said) => said.body['status'] === 'degraded');
    expect(body).toMatchObject({
      why: expect.stringMatching(
        /^version 3 was refused: .*; version 1 stays in service; put another version into production$/,
      ) as string,
      refused_versions: [{ version: '3' }],
    });
    expect(await api.ask('/predict', BETWEEN)).toMatchObject({
      status: 200,
      body: { model_version: before },
    });
    const reloaded = await api.ask('/admin/reload', '{}', { authorization: 'Bearer let-me-in' });
    expect(reloaded).toMatchObject({ status: 200, body: { state: 'degraded', model_version: before } });
    await registry.setAlias(project.model, 'production', '1');
    await api.until('/health', (said) => said.body['status'] === 'healthy');
  });

  test('after kill -9, and with MLflow away, it answers from its local copy', async () => {
    const truth = (await api.ask('/predict', BETWEEN)).body['probabilities'];
    await api.end('SIGKILL');
    api = await new ServedProject(project, { MLFLOW_TRACKING_URI: 'http://127.0.0.1:9' }).listening();
    await api.until('/ready', ({ status }) => status === 200);
    expect(await api.ask('/predict', BETWEEN)).toMatchObject({
      status: 200,
      body: { model_version: '1', probabilities: truth },
    });
    expect((await api.ask('/health')).body).toMatchObject({
      status: 'degraded',
      mlflow: { reachable: false },
      model: { version: '1' },
    });
  });

  test('a canary answers its share, the same one to the same key, until its alias is gone', async () => {
    await registry.setAlias(project.model, 'staging', '2');
    const canary = await servedWith({ canary: { alias: 'staging', percent: 40 } });
    await canary.until('/model/info', ({ body }) => infoOf(body, 'canary')?.model_version === '2');
    const byKey: Record<string, Set<string>> = {};
    for (let i = 0; i < 300; i++) {
      const key = `customer-${i % 100}`;
      const { body } = await canary.ask('/predict', BETWEEN, { 'x-request-key': key });
      (byKey[key] ??= new Set()).add(String(body['model_version']));
    }
    expect(Object.values(byKey).filter((versions) => versions.size > 1)).toEqual([]);
    const share = Object.values(byKey).filter((versions) => versions.has('2')).length;
    // Drawn by a hash of the key: the same 100 keys have the same share for ever.
    expect(share).toBeGreaterThan(25);
    expect(share).toBeLessThan(55);
    const { body } = await canary.ask('/model/info');
    expect(infoOf(body, 'canary')).toMatchObject({ percent: 40, answered: { rows: share * 3 } });
    expect(body['answered']).toMatchObject({ rows: 300 - share * 3 });

    await registry.setAlias(project.model, 'staging', '1');
    await canary.until('/model/info', (said) => infoOf(said.body, 'canary')?.model_version === '1');
    const all = await Promise.all(Array.from({ length: 50 }, () => canary.ask('/predict', BETWEEN)));
    expect(new Set(all.map((said) => said.body['model_version']))).toEqual(new Set(['1']));
    await registry.deleteAlias(project.model, 'staging');
    await canary.until('/model/info', (said) => said.body['canary'] === null);
    expect(await canary.ask('/predict', BETWEEN)).toMatchObject({ status: 200 });
    expect(await canary.end('SIGTERM')).toBe(0);
  });

  test('a shadow hears every request, and nobody gets its answers', async () => {
    await registry.setAlias(project.model, 'staging', '2');
    const shadow = await servedWith({ shadow: { alias: 'staging' } });
    await shadow.until('/model/info', ({ body }) => infoOf(body, 'shadow')?.model_version === '2');
    const answers = await Promise.all(
      Array.from({ length: 100 }, () => shadow.ask('/predict', BETWEEN, { 'x-request-id': 'heard-by-both' })),
    );
    expect(new Set(answers.map(({ body }) => body['model_version']))).toEqual(new Set(['1']));
    const { body } = await shadow.until(
      '/model/info',
      (said) => infoOf(said.body, 'shadow')?.compared?.rows === 100,
    );
    // The two are told apart by this row, so their probabilities differ.
    expect(infoOf(body, 'shadow')?.compared).toMatchObject({ failed: 0, missed: 0 });
    expect(infoOf(body, 'shadow')?.compared?.mean_difference).toBeGreaterThan(0.001);
    expect(await shadow.end('SIGTERM')).toBe(0);
    await registry.deleteAlias(project.model, 'staging');
    const roles: Record<string, number> = {};
    for await (const { requestId, role, modelVersion } of readPredictions(
      project.path('.retrain/predictions'),
    )) {
      const heard = `${role} ${modelVersion}`;
      if (requestId === 'heard-by-both') roles[heard] = (roles[heard] ?? 0) + 1;
    }
    expect(roles).toEqual({ 'production 1': 100, 'shadow 2': 100 });
  });

  test('loadModel takes the same version by its alias, and by its number', async () => {
    const options = { trackingUri: project.env['MLFLOW_TRACKING_URI']!, cacheDir: project.path('copies') };
    const truth = (await api.ask('/predict', BETWEEN)).body['probabilities'] as Record<string, number>;
    for (const reference of [`${project.model}@production`, `models:/${project.model}/1`]) {
      const model = await loadModel(reference, options);
      expect(model).toMatchObject({ name: project.model, version: '1', fresh: true });
      expect((await model.predict([BETWEEN]))[0]?.probabilities).toEqual(Object.values(truth));
      await model.close();
    }
    const away = { ...options, trackingUri: 'http://127.0.0.1:9' };
    const copy = await loadModel(`${project.model}@production`, away);
    expect(copy).toMatchObject({ version: '1', fresh: false });
    await copy.close();
    await expect(loadModel(`${project.model}@nobody`, options)).rejects.toMatchObject({ code: 'NOT_FOUND' });
  });

  test('in a registry with stages only, it serves the version in Production', async () => {
    await registry.deleteAlias(project.model, 'production');
    const staged = await servedWith({});
    await staged.until('/ready', ({ status }) => status === 503);
    await registry.transitionStage(project.model, '2', 'Production');
    await staged.serves('2');
    expect((await staged.ask('/model/info')).body).toMatchObject({
      ...{ model_version: '2', model_stage: 'Production', alias: null },
    });
    await registry.transitionStage(project.model, '1', 'Production');
    await staged.serves('1');
    expect(await staged.ask('/predict', BETWEEN)).toMatchObject({ status: 200 });
    expect(await staged.end('SIGTERM')).toBe(0);
    await registry.setAlias(project.model, 'production', '1');
  });

  test('ends in order on SIGTERM, and what it logged is there', async () => {
    expect(await api.end('SIGTERM')).toBe(0);
    const logged: string[] = [];
    for await (const { modelVersion } of readPredictions(project.path('.retrain/predictions'))) {
      logged.push(modelVersion);
    }
    expect(logged).toContain('1');
  });
});

interface Role {
  model_version?: string;
  compared?: { rows: number; mean_difference: number };
}

const infoOf = (body: Record<string, unknown>, role: 'canary' | 'shadow'): Role | undefined =>
  (body[role] as Role | null) ?? undefined;
