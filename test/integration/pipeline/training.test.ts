import { appendFileSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { RegistryView } from './registry-view';
import { TestProject } from './test-project';

jest.setTimeout(180_000);

describe('a run on iris', () => {
  const project = new TestProject({}, { GITHUB_ACTOR: 'ada' });
  const registry = new RegistryView(project.model);

  beforeAll(async () => {
    await project.startWorker();
  });
  afterAll(async () => {
    await project.remove();
    await registry.close();
  });

  test('goes from data to production and says so', async () => {
    const { code, stdout, stderr } = await project.cli(['start', '--wait']);
    expect(stderr).toMatch(/^Started train-iris-/);
    expect(stderr).toMatch(/preprocess: done in .*120 training rows, 30 held out/);
    expect(stdout).toContain(`${project.model} v1 is in production`);
    expect(stdout).toMatch(/accuracy +[01]\.\d{4} +≥ 0\.9/);
    expect(stdout).toContain(
      `${process.env['RETRAIN_TEST_TEMPORAL_UI']}/namespaces/default/workflows/train-${project.model}`,
    );
    expect(code).toBe(0);
  });

  test('leaves the MLflow run and version that the design promises', async () => {
    const [run, ...others] = await registry.runs();
    expect(others).toEqual([]);
    expect(run).toMatchObject({
      status: 'FINISHED',
      params: { n_estimators: '10', max_depth: 'null', 'train.n_estimators': '10', 'data.target': 'species' },
      tags: {
        data_hash: run?.params['dataset_hash'],
        data_md5: run?.tags['data_md5.data/iris.csv'],
        workflow_id: expect.stringMatching(`^train-${project.model}-[0-9a-f]{16}$`) as string,
      },
    });
    for (const metric of ['accuracy', 'f1_score', 'precision', 'recall']) {
      expect(run?.metrics[metric]).toBeGreaterThan(0.85);
    }
    const files = await registry.mlflow.artifacts.listFiles(await registry.modelRoot(run));
    expect(files.map(({ path }) => path)).toEqual(
      expect.arrayContaining([
        'MLmodel',
        'model.onnx',
        'conda.yaml',
        'python_env.yaml',
        'requirements.txt',
        'input_example.json',
      ]),
    );
    // Nothing of the attempt stays behind.
    const [own = ''] = readdirSync(project.path('.retrain/scratch'));
    expect(readdirSync(project.path(`.retrain/scratch/${own}`))).toEqual(['.lock']);
    expect(run?.tags['mlflow.user']).toBe('ada');
    const [version] = await registry.versions();
    expect(version).toMatchObject({
      version: '1',
      aliases: ['production'],
      stage: 'Production',
      tags: { promoted: 'true', gate_passed: 'true', test_accuracy: String(run?.metrics['accuracy']) },
    });
    expect(version?.tags['promotion_reason']).not.toBe('');
  });

  test('is not repeated: a second start prints the result at once', async () => {
    const before = await registry.runs();
    const again = await project.start();
    expect(again).toMatchObject({
      how: 'finished',
      code: 0,
      result: { outcome: 'promoted', modelVersion: '1' },
    });
    expect(await registry.runs()).toHaveLength(before.length);
  });

  test('is found after Temporal has forgotten it', async () => {
    const again = await project.cli(['start', '--json'], { TEMPORAL_ADDRESS: '127.0.0.1:1' });
    expect(JSON.parse(again.stdout)).toMatchObject({ how: 'finished', result: { modelVersion: '1' } });
  });

  test('is repeated with --force, as the next version', async () => {
    const forced = await project.start('--force', '--wait');
    expect(forced).toMatchObject({
      how: 'started',
      code: 0,
      result: { modelVersion: '2', outcome: 'staged' },
    });
    const versions = await registry.versions();
    expect(versions.map(({ version, aliases }) => [version, aliases])).toEqual([
      ['2', ['staging']],
      ['1', ['production']],
    ]);
    const [second, first] = await registry.runs();
    const bytes = await Promise.all(
      [second, first].map(async (run) =>
        registry.mlflow.artifacts.downloadBytes(await registry.modelRoot(run), 'model.onnx'),
      ),
    );
    expect(Buffer.compare(bytes[0] ?? new Uint8Array(), bytes[1] ?? new Uint8Array(1))).toBe(0);
  });

  test('with other data is another run', async () => {
    const rows = readFileSync(project.path('data/iris.csv'), 'utf8');
    appendFileSync(project.path('data/iris.csv'), '5.0,3.4,1.5,0.2,setosa\n');
    const other = await project.start('--wait');
    expect(other).toMatchObject({ how: 'started', result: { modelVersion: '3' } });
    writeFileSync(project.path('data/iris.csv'), rows);
    expect(await project.start()).toMatchObject({ how: 'finished' });
  });

  test('is planned truthfully', async () => {
    const plan = JSON.parse(
      (await project.cli(['plan', '--json', '--set', 'train.n_estimators=12'])).stdout,
    ) as {
      parts: unknown[];
      stages: { does: string }[];
    };
    expect(plan.parts).toEqual([
      expect.objectContaining({ part: 'data' }),
      expect.objectContaining({ part: 'params', details: ['train.n_estimators 10 → 12'] }),
      expect.objectContaining({ part: 'code' }),
    ]);
    expect(plan.stages).toMatchObject([
      { stage: 'preprocess', does: 'reuse' },
      { stage: 'train', does: 'run', because: 'train.n_estimators 10 → 12' },
      { stage: 'evaluate', does: 'run', because: 'train runs before it' },
      { stage: 'register', does: 'run' },
      { stage: 'promote', does: 'run' },
    ]);
    const { result } = await project.start('--wait', '--set', 'train.n_estimators=12');
    expect(result?.reused).toEqual(['preprocess']);
    const { stdout } = await project.cli(['plan']);
    expect(stdout).toContain('nothing to do');
  });

  test('is validated against minima, for CI', async () => {
    expect((await project.cli(['validate', '--min', 'accuracy=0.5'])).code).toBe(0);
    const summary = project.path('summary.md');
    // A bagged forest is never that sure of every flower.
    const failed = await project.cli(
      ['validate', '--min', 'recall.setosa=0.5', '--max', 'brier_score=1e-6'],
      {
        GITHUB_STEP_SUMMARY: summary,
      },
    );
    expect(failed.code).toBe(3);
    expect(failed.stdout).toMatch(/passed +recall\.setosa +[01]\.\d+ +≥ 0\.5/);
    expect(failed.stdout).toMatch(/failed +brier_score +0\.\d+ +≤ 0\.000001/);
    expect(readFileSync(summary, 'utf8')).toMatch(/\| accuracy \| [01]\.\d+ \|/);
  });

  test('is validated with the largest value of a loss, as the gate does it, by --min too', async () => {
    const { result } = await project.start('--wait');
    const { log_loss: loss = NaN } = result?.metrics ?? {};
    const code = async (...limit: string[]) => (await project.cli(['validate', ...limit])).code;
    expect(await code('--min', `log_loss=${loss * 1.5}`)).toBe(0);
    expect(await code('--min', `log_loss=${loss / 2}`)).toBe(3);
    expect(await code('--max', `log_loss=${loss / 2}`)).toBe(3);
    expect(await code('--max', 'accuracy=0.001')).toBe(3);
  });

  test.each([
    ['--min', 'acuracy=0.9', 'the run has no metric acuracy; did you mean accuracy?'],
    [
      '--min',
      'accuracy=90',
      '--min accuracy must be ≤ 1: no model has a higher accuracy, so none would pass; 90 % is 0.9, got 90',
    ],
    [
      '--max',
      'log_loss=-1',
      '--max log_loss must be ≥ 0: no model has a lower log_loss, so none would pass, got -1',
    ],
    ['--max', 'accuracy', '--max takes metric=number such as accuracy=0.90, got accuracy'],
  ])('refuses %s %s', async (option, limit, message) => {
    const { code, stderr } = await project.cli(['validate', option, limit]);
    expect({ code, stderr }).toEqual({ code: 2, stderr: expect.stringContaining(message) as string });
  });
});

describe('a run that does not pass the gate', () => {
  const project = new TestProject({ gate: { accuracy: 0.9999 }, train: { n_estimators: 1, max_depth: 1 } });
  const registry = new RegistryView(project.model);

  beforeAll(async () => {
    await project.startWorker();
  });
  afterAll(async () => {
    await project.remove();
    await registry.close();
  });

  test('is registered without an alias, and the command exits 3', async () => {
    const failed = await project.start('--wait');
    expect(failed).toMatchObject({ code: 3, result: { outcome: 'gate_failed', alias: null } });
    expect(await registry.versions()).toEqual([
      expect.objectContaining({
        version: '1',
        aliases: [],
        tags: expect.objectContaining({ promoted: 'false', gate_passed: 'false' }) as object,
      }),
    ]);
    expect((await registry.runs())[0]).toMatchObject({ status: 'FINISHED' });
  });

  test('is an outcome: asked again, it is given at once, with exit code 3', async () => {
    expect(await project.start()).toMatchObject({ how: 'finished', code: 3 });
    expect((await project.cli(['validate'])).code).toBe(3);
  });
});
