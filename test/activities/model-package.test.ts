import { generateKeyPairSync } from 'node:crypto';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { withPassport } from '../../activities/model-package';
import { verifyProvenance } from '../../integrations/signing/provenance';
import { verifyModel } from '../../integrations/signing/verify-model';

const pair = generateKeyPairSync('ec', {
  namedCurve: 'P-256',
  privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
  publicKeyEncoding: { type: 'spki', format: 'pem' },
});

const files = ['model.onnx', 'data/schema.json', 'MLmodel'].map((name) => ({
  path: name,
  bytes: Buffer.from(name),
}));
const hash = (digit: string): string => digit.repeat(64);

const origin: Parameters<typeof withPassport>[1] = {
  params: { model: 'iris-classifier' },
  paramsHash: hash('1'),
  data: { path: 'data/iris.csv', sha256: hash('2'), md5: '3'.repeat(32), sizeBytes: 4 },
  codeHash: hash('5'),
  pipelineKey: hash('6'),
  git: { commit: '7'.repeat(40), branch: 'main', dirty: false, remoteUrl: 'git@example.org:team/iris.git' },
  images: { train: `sha256:${hash('8')}` },
  workflowId: 'train-iris-classifier-6666666666666666',
  workflowRunId: 'r',
  mlflowRunId: 'm',
  mlflowExperimentId: '1',
  startedAt: '2025-01-01T00:00:00Z',
  finishedAt: '2025-01-01T00:00:05Z',
  version: '0.1.0',
};

describe('the passport of a model', () => {
  let scratch: string;
  let dir: string;
  beforeEach(() => {
    dir = mkdtempSync(path.join(tmpdir(), 'retrain-passport-'));
    scratch = path.join(dir, 'attempt-1');
  });
  afterEach(() => rmSync(dir, { recursive: true }));

  /** The model as it would be downloaded. */
  function laidOut(made: Awaited<ReturnType<typeof withPassport>>): string {
    const model = path.join(dir, 'downloaded', 'model');
    for (const { path: name, bytes } of made) {
      mkdirSync(path.dirname(path.join(model, name)), { recursive: true });
      writeFileSync(path.join(model, name), bytes);
    }
    return model;
  }

  test('is a provenance over all files, and MLmodel stays last', async () => {
    const made = await withPassport(files, origin, null, scratch);
    expect(made.map(({ path: name }) => name)).toEqual([
      ...['model.onnx', 'data/schema.json', 'provenance.json', 'MLmodel'],
    ]);
    const statement = await verifyProvenance(laidOut(made));
    expect(statement.subject.map(({ name }) => name).sort()).toEqual([
      'MLmodel',
      'data/schema.json',
      'model.onnx',
    ]);
  });

  test('is signed where there is a key: the provenance too', async () => {
    const made = await withPassport(files, origin, { pem: pair.privateKey }, scratch);
    expect(made.map(({ path: name }) => name)).toEqual([
      ...['model.onnx', 'data/schema.json', 'provenance.json', 'model.sig', 'MLmodel'],
    ]);
    const signed = await verifyModel(laidOut(made), pair.publicKey);
    expect(signed.map(({ name }) => name).sort()).toEqual([
      ...['MLmodel', 'data/schema.json', 'model.onnx', 'provenance.json'],
    ]);
  });

  test('leaves nothing in the scratch folder, not even when it fails', async () => {
    await withPassport(files, origin, null, scratch);
    expect(readdirSync(dir)).toEqual([]);
    await expect(withPassport(files, origin, { pem: 'no key' }, scratch)).rejects.toThrow();
    expect(readdirSync(dir)).toEqual([]);
  });
});
