import { generateKeyPairSync } from 'node:crypto';
import { appendFileSync, cpSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { writeProvenance, type Origin } from '../../integrations/signing/provenance';
import { signModel } from '../../integrations/signing/sign-model';
import { Workbench } from './workbench';

jest.setTimeout(60_000);

const SIGNED_BY_OTHERS = path.join(__dirname, '..', 'fixtures', 'signing');

const ORIGIN: Origin = {
  model: 'iris',
  modelVersion: '3',
  params: { model: 'iris' },
  paramsHash: '1'.repeat(64),
  data: { path: 'data/iris.csv', sha256: '2'.repeat(64), md5: '3'.repeat(32), sizeBytes: 1 },
  codeHash: '4'.repeat(64),
  pipelineKey: '5'.repeat(64),
  git: { commit: 'c'.repeat(40), branch: 'main', dirty: false, remoteUrl: '' },
  workflowId: 'train-iris',
  workflowRunId: 'run',
  mlflowRunId: 'm',
  mlflowExperimentId: '1',
  startedAt: '2026-01-31T12:00:00Z',
  finishedAt: '2026-01-31T12:00:05Z',
  version: '0.1.0',
};

let bench: Workbench;
let key: string;
beforeEach(async () => {
  bench = new Workbench();
  const pair = generateKeyPairSync('ec', {
    namedCurve: 'prime256v1',
    publicKeyEncoding: { type: 'spki', format: 'pem' },
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
  });
  key = pair.publicKey;
  writeFileSync(bench.path('signing.pub'), key);
  mkdirSync(bench.path('model/sub'), { recursive: true });
  writeFileSync(bench.path('model/model.onnx'), 'onnx');
  writeFileSync(bench.path('model/sub/MLmodel'), 'mlmodel');
  await writeProvenance(bench.path('model'), ORIGIN);
  await signModel(bench.path('model'), pair.privateKey);
});
afterEach(() => bench.remove());

// No server is there: 127.0.0.1:1 answers nobody.
const verify = (...args: string[]) =>
  bench.cli(['verify', ...args], {
    MLFLOW_TRACKING_URI: 'http://127.0.0.1:1',
    TEMPORAL_ADDRESS: '127.0.0.1:1',
  });

test('a signed model with provenance is checked with neither MLflow nor Temporal', async () => {
  const good = await verify('model', '--key', 'signing.pub');
  expect(good).toMatchObject({ code: 0, stderr: '' });
  expect(good.stdout).toContain('model is as it was signed');
  expect(good.stdout).toContain('2 as recorded in provenance.json');
  expect(good.stdout).toContain('2'.repeat(64));
  const byVariable = await bench.cli(['verify', 'model', '--json'], { RETRAIN_SIGNING_PUBLIC_KEY: key });
  expect(JSON.parse(byVariable.stdout)).toMatchObject({
    signature: 'valid',
    files: ['model.onnx', 'sub/MLmodel'],
  });
  expect((await verify('model')).stdout).toContain('there is one; give its public key');
});

test('the first file that differs is named, and the exit code is 1, with and without the key', async () => {
  appendFileSync(bench.path('model/sub/MLmodel'), '!');
  for (const args of [['model', '--key', 'signing.pub'], ['model']]) {
    const { code, stderr } = await verify(...args);
    expect(code).toBe(1);
    expect(stderr).toMatch(
      /^error: .*model\/sub\/MLmodel has SHA-256 \w{64}, (the signature|provenance\.json) says/,
    );
  }
});

test('a model that is not signed fails when a key is given, and only then', async () => {
  rmSync(bench.path('model/model.sig'));
  const strict = await verify('model', '--key', 'signing.pub');
  expect(strict).toMatchObject({ code: 1, stderr: expect.stringContaining('is not signed') as string });
  const lax = await verify('model');
  expect(lax.code).toBe(0);
  expect(lax.stdout).toContain('the model is not signed');
  rmSync(bench.path('model/provenance.json'));
  expect(await verify('model')).toMatchObject({
    code: 1,
    stderr: expect.stringContaining('neither provenance.json nor model.sig') as string,
  });
});

test('what PyPI’s model-signing signed is accepted, and refused with another key', async () => {
  cpSync(path.join(SIGNED_BY_OTHERS, 'model'), bench.path('theirs'), { recursive: true });
  expect((await verify('theirs', '--key', path.join(SIGNED_BY_OTHERS, 'public.pem'))).code).toBe(0);
  const other = await verify('theirs', '--key', 'signing.pub');
  expect(other).toMatchObject({ code: 1, stderr: expect.stringContaining('another key') as string });
});

test('a registered model is checked by the copy of the last time while MLflow is away', async () => {
  expect((await verify('iris@production')).stderr).toMatch(/there is no copy of iris@production here either/);
  cpSync(bench.path('model'), bench.path('.retrain/models/iris%40production/model'), { recursive: true });
  writeFileSync(bench.path('.retrain/models/iris%40production/version'), '3\n');
  const kept = await verify('iris@production', '--key', 'signing.pub');
  expect(kept.stdout).toContain('iris v3 is as it was signed');
  expect(kept.stderr).toContain('MLflow does not answer: this is the copy that was fetched last');
  // The copy of an alias that was, when it was fetched, the directory of an older version in the place of a newer.
  writeFileSync(bench.path('.retrain/models/iris%40production/version'), '4\nm\n');
  expect(await verify('iris@production', '--key', 'signing.pub')).toMatchObject({
    code: 1,
    stderr: expect.stringContaining('names the version 3, expected 4') as string,
  });
  writeFileSync(bench.path('.retrain/models/iris%40production/version'), '3\nother\n');
  expect(await verify('iris@production', '--key', 'signing.pub')).toMatchObject({
    code: 1,
    stderr: expect.stringContaining('names the MLflow run m, expected other') as string,
  });
});
