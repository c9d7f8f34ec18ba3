import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { RegistryView } from './registry-view';
import { TestProject } from './test-project';

jest.setTimeout(180_000);

describe('a version in production that cannot be scored', () => {
  const project = new TestProject();
  const registry = new RegistryView(project.model);
  const { registry: versions } = registry.mlflow;
  const uri = process.env['RETRAIN_TEST_MLFLOW_URI'] ?? '';

  beforeAll(async () => {
    await project.startWorker();
  });
  afterAll(async () => {
    await project.remove();
    await registry.close();
  });

  /** Deletes the files of a version's model on the server. */
  async function deleteFiles(version: string): Promise<void> {
    const { source } = await versions.getVersion(project.model, version);
    const folder = (await registry.mlflow.resolveSource(source)).replace('mlflow-artifacts:/', '');
    const reply = await fetch(`${uri}/api/2.0/mlflow-artifacts/artifacts/${folder}`, { method: 'DELETE' });
    expect(reply.status).toBe(200);
  }

  test('because scikit-learn made it: the run goes on, and says so', async () => {
    const python = process.env['RETRAIN_TEST_MLFLOW_PYTHON'] ?? 'python3';
    await promisify(execFile)(python, [join(__dirname, 'register-sklearn.py'), project.model], {
      env: { ...process.env, MLFLOW_TRACKING_URI: uri },
    });
    const plan = await project.cli(['plan']);
    expect(plan).toMatchObject({ code: 0 });
    const { code, result } = await project.start('--wait');
    expect({ code, result }).toMatchObject({
      code: 0,
      result: {
        ...{ outcome: 'staged', modelVersion: '2', champion: { version: '1', metrics: null } },
        reason:
          'version 1 cannot be scored on these 30 rows: another program registered it, and it has no model.onnx; if it is to be replaced all the same, set the alias production to this version by hand',
      },
    });
    expect(await versions.findByAlias(project.model, 'production')).toMatchObject({ version: '1' });
  });

  test('because its files are gone: the run goes on, and says so', async () => {
    await versions.setAlias(project.model, 'production', '2');
    await deleteFiles('2');
    expect(await project.cli(['plan', '--set', 'train.n_estimators=11'])).toMatchObject({ code: 0 });
    const { code, result } = await project.start('--wait', '--set', 'train.n_estimators=11');
    expect({ code, result }).toMatchObject({
      code: 0,
      result: {
        ...{ outcome: 'staged', modelVersion: '3', champion: { version: '2', metrics: null } },
        reason: expect.stringMatching(
          /^version 2 cannot be scored on these 30 rows: its files are gone from mlflow/,
        ) as string,
      },
    });
  });

  test('a repeated start says where the version stands now, and not where it stood when it ended', async () => {
    const again = async (): Promise<string> =>
      (await project.cli(['start', '--set', 'train.n_estimators=11'])).stdout.split('\n')[0] ?? '';
    expect(await again()).toContain(`${project.model} v3 is in staging; v2 is in production`);
    await versions.setAlias(project.model, 'production', '3');
    expect(await again()).toContain(`${project.model} v3 is in production`);
    await versions.deleteVersion(project.model, '3');
    expect(await again()).toContain(
      `${project.model} v3 was staged and has been deleted in MLflow since; nothing is in production. A new one: retrain start --force`,
    );
    const { standing } = JSON.parse(
      (await project.cli(['start', '--json', '--set', 'train.n_estimators=11'])).stdout,
    ) as { standing: unknown };
    expect(standing).toEqual({ exists: false, production: null, aliases: [] });
  });
});
