import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { RegistryView } from './registry-view';
import { TestProject } from './test-project';

jest.setTimeout(180_000);

interface Seen {
  /** How many different answers the four addresses of the model give. */
  same: number;
  accuracy: number;
  status: string;
  type: string;
  metrics: Record<string, number>;
  run_metrics: Record<string, number>;
  source_run: boolean;
  versions: { name: string; version: number }[];
  flavors: string[];
  description: string;
  user: string;
  count: number;
}

describe('a run, seen by Python’s MLflow 3', () => {
  const project = new TestProject({}, { GITHUB_ACTOR: 'ada' });
  const registry = new RegistryView(project.model);
  const uri = process.env['RETRAIN_TEST_MLFLOW_URI'] ?? '';
  let seen: Seen;

  beforeAll(async () => {
    await project.startWorker();
    expect(await project.start('--wait')).toMatchObject({ code: 0 });
    const python = process.env['RETRAIN_TEST_MLFLOW_PYTHON'] ?? 'python3';
    const script = join(__dirname, 'logged-model.py');
    const { stdout } = await promisify(execFile)(
      python,
      [script, project.model, project.path('data/iris.csv')],
      {
        env: { ...process.env, MLFLOW_TRACKING_URI: uri },
      },
    );
    seen = JSON.parse(stdout) as Seen;
  });
  afterAll(async () => {
    await project.remove();
    await registry.close();
  });

  test('has one logged model, which is ready, among its outputs', () => {
    expect(seen).toMatchObject({ count: 1, source_run: true, type: 'random-forest' });
    expect(seen.status).toMatch(/READY/);
    expect(seen.flavors).toEqual(['onnx', 'python_function']);
    expect(seen.metrics).toEqual(seen.run_metrics);
  });

  test('has a model that loads by alias, version, logged model and run, with the same answers', () => {
    expect(seen.same).toBe(1);
    expect(seen.accuracy).toBeGreaterThan(0.9);
  });

  test('has a version of that model, with a description, and the name of who started it', () => {
    expect(seen.versions).toEqual([{ name: project.model, version: 1 }]);
    expect(seen.description).toMatch(
      /^random-forest for species, trained on data\/iris\.csv \([0-9a-f]{12}\): accuracy [01](\.\d+)?, f1_score [01](\.\d+)?, precision [01](\.\d+)? on 30 held-out rows\.$/,
    );
    expect(seen.user).toBe('ada');
  });

  test('has a version whose files the server itself can read, for its page', async () => {
    const url = new URL(`${uri}/model-versions/get-artifact`);
    url.search = new URLSearchParams({ name: project.model, version: '1', path: 'MLmodel' }).toString();
    expect(await (await fetch(url)).text()).toContain('flavors:');
  });

  test('is proven to be the version that the registry says, and no other', async () => {
    expect(await project.cli(['verify', `${project.model}@production`])).toMatchObject({ code: 0 });
    await project.start('--wait', '--set', 'train.n_estimators=3');
    const [second, first] = await registry.runs();
    const [from, to] = [await registry.modelRoot(first), await registry.modelRoot(second)];
    // Somebody puts the directory of version 1, whole and unharmed, in the place of version 2.
    for (const { path } of await registry.mlflow.artifacts.listFiles(from)) {
      const bytes = await registry.mlflow.artifacts.downloadBytes(from, path);
      await registry.mlflow.artifacts.uploadBytes(to, path, bytes);
    }
    expect(await project.cli(['verify', `${project.model}@2`])).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('its provenance names the version 1, expected 2') as string,
    });
  });
});
