import { generateKeyPairSync, randomUUID } from 'node:crypto';
import { appendFileSync, cpSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createMlflow, type Mlflow } from '../../../integrations/mlflow/client';
import { MODEL_PATH } from '../../../integrations/mlflow/model-directory';
import { mlflowSettings } from '../../../integrations/mlflow/settings';
import { type Origin, writeProvenance } from '../../../integrations/signing/provenance';
import { signModel } from '../../../integrations/signing/sign-model';
import { fetchChecked, type RegisteredModel } from '../../../serving/model/fetch-checked';
import { freshKey } from '../../integrations/mlflow/training-result';
import { penguinModel } from '../../serving/model/model-folder';

const settings = mlflowSettings({ MLFLOW_TRACKING_URI: process.env['RETRAIN_TEST_MLFLOW_URI'] });
const AWAY = mlflowSettings({ MLFLOW_TRACKING_URI: 'http://127.0.0.1:1' });

const pair = generateKeyPairSync('ec', {
  namedCurve: 'prime256v1',
  publicKeyEncoding: { type: 'spki', format: 'pem' },
  privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
});

const originOf = (model: string, modelVersion: string, mlflowRunId: string): Origin => ({
  ...{ model, modelVersion, mlflowRunId, params: { model }, paramsHash: '1'.repeat(64) },
  data: { path: 'data.csv', sha256: '2'.repeat(64), md5: '3'.repeat(32), sizeBytes: 1 },
  ...{ codeHash: '4'.repeat(64), pipelineKey: '5'.repeat(64), workflowId: 'w', workflowRunId: 'r' },
  git: { commit: 'c'.repeat(40), branch: 'main', dirty: false, remoteUrl: '' },
  ...{ mlflowExperimentId: '1', startedAt: '2026-01-31T12:00:00Z', finishedAt: '2026-01-31T12:00:05Z' },
  version: '0.1.0',
});

describe('a registered model, fetched and checked', () => {
  let mlflow: Mlflow;
  let name: string;
  let laidOut: string;
  const folder = mkdtempSync(path.join(tmpdir(), 'shelf-'));
  const shelf = { mlflow: settings, dir: folder };
  const signal = new AbortController().signal;

  /** Registers a version of files with a passport, changed after it was made where wanted. */
  async function register(spoil: (dir: string) => void = () => undefined, claim = name): Promise<string> {
    const { run } = await mlflow.runs.open({
      experimentId: await mlflow.experiments.ensure(`serving-${name}`),
      name: 'penguins',
      identity: { pipelineKey: freshKey(), workflowId: 'w', workflowRunId: 'r' },
      tags: {},
      params: {},
    });
    const source = `runs:/${run.runId}/${MODEL_PATH}`;
    const { version } = await mlflow.registry.findOrCreateVersion({
      name,
      runId: run.runId,
      source,
      tags: {},
    });
    const dir = path.join(mkdtempSync(path.join(folder, 'made-')), MODEL_PATH);
    cpSync(laidOut, dir, { recursive: true });
    await writeProvenance(dir, originOf(claim, version, run.runId));
    await signModel(dir, pair.privateKey);
    spoil(dir);
    for (const entry of readdirSync(dir, { recursive: true, withFileTypes: true })) {
      if (!entry.isFile()) continue;
      const file = path.join(entry.parentPath, entry.name);
      await mlflow.artifacts.uploadFile(run.artifactUri, `${MODEL_PATH}/${path.relative(dir, file)}`, file);
    }
    return version;
  }

  const production = { model: '', by: { alias: 'production' } };
  const fetch = (
    publicKey: string | null = pair.publicKey,
    mlflowSettingsUsed = settings,
  ): Promise<RegisteredModel> =>
    fetchChecked(
      { ...shelf, mlflow: mlflowSettingsUsed },
      { ...production, model: name },
      { publicKey, signal },
    );

  beforeAll(async () => {
    mlflow = createMlflow(settings);
    name = `served-${randomUUID()}`;
    laidOut = (await penguinModel('classification')).dir;
  });

  afterAll(async () => {
    await mlflow.close();
    rmSync(folder, { recursive: true });
    rmSync(path.dirname(laidOut), { recursive: true });
  });

  test('goes by the alias, is checked, and stays what it is while MLflow is away', async () => {
    await expect(fetch()).rejects.toMatchObject({ code: 'NOT_FOUND' });
    await expect(fetch(null, AWAY)).rejects.toThrow(/there is no copy of .*@production here either/);
    const first = await register();
    await mlflow.registry.setAlias(name, 'production', first);
    const fetched = await fetch();
    expect(fetched).toMatchObject({ name, version: first, fresh: true, signature: 'valid' });
    expect(fetched.provenance?.subject.map((file) => file.name)).toContain('model.onnx');
    expect(fetched.model.engine).toBe('forest');
    expect(await fetch(pair.publicKey, AWAY)).toMatchObject({
      version: first,
      fresh: false,
      dir: fetched.dir,
    });
  });

  test.each<[string, (dir: string) => void, RegExp]>([
    [
      'with a file that was changed',
      (dir) => appendFileSync(path.join(dir, 'model.onnx'), '!'),
      /model\.onnx has SHA-256/,
    ],
    ['without its signature', (dir) => rmSync(path.join(dir, 'model.sig')), /v\d+ is not signed/],
  ])('a version %s is refused, and the last good one is what there is', async (_, spoil, says) => {
    const good = (await fetch()).version;
    await mlflow.registry.setAlias(name, 'production', await register(spoil));
    await expect(fetch()).rejects.toMatchObject({
      code: 'VERIFICATION_FAILED',
      message: expect.stringMatching(says) as string,
    });
    expect(await fetch(pair.publicKey, AWAY)).toMatchObject({ version: good, fresh: false });
    await mlflow.registry.setAlias(name, 'production', good);
  });

  test('a version that was signed as another model is refused, signed as it is', async () => {
    const good = (await fetch()).version;
    await mlflow.registry.setAlias(name, 'production', await register(undefined, 'another'));
    await expect(fetch()).rejects.toThrow(/its provenance names the model another, expected served-/);
    await mlflow.registry.setAlias(name, 'production', good);
  });

  test('a copy that was damaged here is fetched again', async () => {
    const { dir, version } = await fetch();
    writeFileSync(path.join(dir, 'MLmodel'), 'flavors: {}');
    await expect(fetch(null, AWAY)).rejects.toMatchObject({ code: 'VERIFICATION_FAILED' });
    expect(await fetch()).toMatchObject({ version, fresh: true });
  });

  test('in a registry with stages only, production is the version in Production', async () => {
    const { version } = await fetch();
    await mlflow.registry.deleteAlias(name, 'production');
    await expect(fetch()).rejects.toMatchObject({ code: 'NOT_FOUND' });
    await mlflow.registry.transitionStage(name, version, 'Production');
    expect(await fetch()).toMatchObject({ version });
  });
});
