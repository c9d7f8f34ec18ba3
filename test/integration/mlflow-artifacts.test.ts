import { createHash, randomBytes, randomUUID } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createMlflow, type Mlflow } from '../../integrations/mlflow/client';
import { mlflowSettings } from '../../integrations/mlflow/settings';
import { freshKey } from '../integrations/mlflow/training-result';

const settings = mlflowSettings({ MLFLOW_TRACKING_URI: process.env['RETRAIN_TEST_MLFLOW_URI'] });

describe('artifacts on a real MLflow server', () => {
  let mlflow: Mlflow;
  let folder: string;
  let runId: string;
  let root: string;

  beforeAll(async () => {
    mlflow = createMlflow(settings);
    folder = await mkdtemp(join(tmpdir(), 'mlflow-artifacts-'));
    const experimentId = await mlflow.experiments.ensure(`artifacts-${randomUUID()}`);
    const identity = { pipelineKey: freshKey(), workflowId: 'w', workflowRunId: 'w1' };
    const { run } = await mlflow.runs.open({ experimentId, name: 'r', identity, tags: {}, params: {} });
    runId = run.runId;
    root = run.artifactUri;
  });

  afterAll(async () => {
    await mlflow.close();
    await rm(folder, { recursive: true, force: true });
  });

  test('bytes go up and come down the same, and a second upload replaces the first', async () => {
    await mlflow.artifacts.uploadBytes(root, 'bytes/a b ü%.json', Buffer.from('{"v":1}'));
    await mlflow.artifacts.uploadBytes(root, 'bytes/a b ü%.json', Buffer.from('{"v":2}'));
    const down = await mlflow.artifacts.downloadBytes(root, 'bytes/a b ü%.json');
    expect(Buffer.from(down).toString()).toBe('{"v":2}');
  });

  test('a file of 20 MB streams up and down unchanged and leaves no part file', async () => {
    const bytes = randomBytes(20_000_000);
    await writeFile(join(folder, 'big.bin'), bytes);
    await mlflow.artifacts.uploadFile(root, 'files/big.bin', join(folder, 'big.bin'));
    await mlflow.artifacts.downloadFile(root, 'files/big.bin', join(folder, 'down', 'big.bin'));
    const sha = (data: Uint8Array): string => createHash('sha256').update(data).digest('hex');
    expect(sha(await readFile(join(folder, 'down', 'big.bin')))).toBe(sha(bytes));
    expect(await readdir(join(folder, 'down'))).toEqual(['big.bin']);
  });

  test('an empty file is a file', async () => {
    await writeFile(join(folder, 'empty'), '');
    await mlflow.artifacts.uploadFile(root, 'files/empty', join(folder, 'empty'));
    expect(await mlflow.artifacts.downloadBytes(root, 'files/empty')).toHaveLength(0);
  });

  test('folders are listed and come down whole', async () => {
    await mlflow.artifacts.uploadBytes(root, 'model/MLmodel', Buffer.from('flavors: {}\n'));
    await mlflow.artifacts.uploadBytes(root, 'model/inner/model.onnx', Buffer.from([1, 2, 3]));
    expect(await mlflow.artifacts.list(root, 'model')).toEqual(
      expect.arrayContaining([
        { path: 'MLmodel', isDirectory: false, sizeBytes: 12 },
        { path: 'inner', isDirectory: true, sizeBytes: 0 },
      ]),
    );
    expect(await mlflow.artifacts.downloadFolder(root, 'model', join(folder, 'model'))).toEqual([
      'MLmodel',
      'inner/model.onnx',
    ]);
    expect([...(await readFile(join(folder, 'model', 'inner', 'model.onnx')))]).toEqual([1, 2, 3]);
    expect(await mlflow.artifacts.list(root, 'no such folder')).toEqual([]);
  });

  test('a missing file is NOT_FOUND and leaves nothing behind', async () => {
    await expect(mlflow.artifacts.downloadBytes(root, 'nope')).rejects.toMatchObject({ code: 'NOT_FOUND' });
    const target = join(folder, 'missing', 'file');
    await expect(mlflow.artifacts.downloadFile(root, 'nope', target)).rejects.toMatchObject({
      code: 'NOT_FOUND',
    });
    expect(await readdir(join(folder, 'missing'))).toEqual([]);
  });

  test('the sources that MLflow writes into versions lead to their files', async () => {
    const name = `sources-${randomUUID()}`;
    const created = await mlflow.registry.findOrCreateVersion({
      name,
      runId,
      source: `runs:/${runId}/model`,
      tags: {},
    });
    await mlflow.registry.setAlias(name, 'production', created.version);
    const expected = `${root}/model`;
    expect(created.source).toBe(expected);
    expect(await mlflow.resolveSource(`runs:/${runId}/model`)).toBe(expected);
    expect(await mlflow.resolveSource(`models:/${name}/1`)).toBe(expected);
    expect(await mlflow.resolveSource(`models:/${name}@production`)).toBe(expected);
    expect(await mlflow.resolveSource(expected)).toBe(expected);
    await expect(mlflow.resolveSource(`models:/${name}@staging`)).rejects.toMatchObject({
      code: 'NOT_FOUND',
    });
  });

  test('a logged model’s source leads to its own artifacts', async () => {
    const { info } = await mlflow.runs.get(runId).then((run) => ({ info: run }));
    const created = (await (
      await fetch(`${settings.uri}/api/2.0/mlflow/logged-models`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ experiment_id: info.experimentId, name: 'm', source_run_id: runId }),
      })
    ).json()) as { model: { info: { model_id: string; artifact_uri: string } } };
    const { model_id: id, artifact_uri: uri } = created.model.info;
    expect(await mlflow.resolveSource(`models:/${id}`)).toBe(uri);
  });
});
