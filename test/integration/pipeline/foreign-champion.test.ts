import { execFileSync } from 'node:child_process';
import { dynamicBomb } from '../../attacks/foreign-onnx';
import { RegistryView } from './registry-view';
import { TestProject, type WorkerProcess } from './test-project';

jest.setTimeout(180_000);

describe('a champion whose files somebody has changed in the registry', () => {
  const project = new TestProject({}, { RETRAIN_STAGE_MEMORY: '700m' });
  const registry = new RegistryView(project.model);
  let worker: WorkerProcess;

  beforeAll(async () => {
    worker = await project.startWorker();
    await project.start('--wait');
    const { mlflow } = registry;
    const { source } = await mlflow.registry.getVersion(project.model, '1');
    const root = await mlflow.resolveSource(source);
    await mlflow.artifacts.uploadBytes(root, 'model.onnx', dynamicBomb());
    // As other programs write it: it does not say what is in the model, so that nobody has it already.
    await mlflow.artifacts.uploadBytes(root, 'MLmodel', Buffer.from('flavors: {}\n'));
  });
  afterAll(async () => {
    await project.remove();
    await registry.close();
  });

  test('into one that takes 40 GB fails no run: it cannot be scored, and the worker goes on', async () => {
    const { code, result } = await project.start('--wait', '--set', 'train.n_estimators=11');
    expect({ code, result }).toMatchObject({
      code: 0,
      result: {
        ...{ outcome: 'staged', modelVersion: '2', champion: { version: '1', metrics: null } },
        reason: expect.stringMatching(
          /^version 1 cannot be scored on these 30 rows: .*(700 MiB|0\.7 GiB|memory|onnxruntime)/,
        ) as string,
      },
    });
    expect(worker.log).not.toMatch(/heap out of memory/);
  });

  test('is not scored at all by a worker that has a key', async () => {
    await worker.stop();
    const pem = execFileSync('openssl', ['ecparam', '-genkey', '-name', 'prime256v1', '-noout']);
    const key = execFileSync('openssl', ['ec', '-pubout'], {
      input: pem,
      encoding: 'utf8',
      stdio: ['pipe', 'pipe', 'ignore'],
    });
    worker = await project.startWorker({ RETRAIN_SIGNING_PUBLIC_KEY: key });
    const { code, result } = await project.start('--wait', '--set', 'train.n_estimators=12');
    expect({ code, result }).toMatchObject({
      code: 0,
      result: {
        ...{ outcome: 'staged', modelVersion: '3', champion: { version: '1', metrics: null } },
        reason: expect.stringMatching(
          /^version 1 cannot be scored on these 30 rows: .*is not signed/,
        ) as string,
      },
    });
    // Nor may it be promoted by hand.
    const promoted = await project.cli(['promote', `${project.model}@2`, '--reason', 'I like it', '--force']);
    expect(promoted).toMatchObject({ code: 1, stderr: expect.stringContaining('is not signed') as string });
  });
});
