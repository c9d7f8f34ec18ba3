import { generateKeyPairSync } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { addPassport, layOutModel } from '../../activities/model-package';
import { ContentStore } from '../../integrations/dvc/content-store';
import { verifyProvenance } from '../../integrations/signing/provenance';
import { verifyModel } from '../../integrations/signing/verify-model';

const pair = generateKeyPairSync('ec', {
  namedCurve: 'P-256',
  privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
  publicKeyEncoding: { type: 'spki', format: 'pem' },
});

const files = ['data/schema.json', 'MLmodel'].map((name) => ({
  path: name,
  bytes: Buffer.from(name),
}));
const hash = (digit: string): string => digit.repeat(64);

const origin: Parameters<typeof addPassport>[1] = {
  model: 'iris-classifier',
  modelVersion: '3',
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

describe('the package of a model', () => {
  let scratch: string;
  let dir: string;
  beforeEach(async () => {
    scratch = mkdtempSync(path.join(tmpdir(), 'retrain-package-'));
    dir = path.join(scratch, 'attempt', 'model');
    const store = new ContentStore(path.join(scratch, 'cache'));
    await layOutModel(dir, files, store, await store.putBytes('onnx', 'model.onnx'));
  });
  afterEach(() => rmSync(scratch, { recursive: true }));

  const names = (found: readonly { name: string }[]): string[] => found.map(({ name }) => name).sort();

  test('has model.onnx out of the store beside its small files', () => {
    expect(readFileSync(path.join(dir, 'model.onnx'), 'utf8')).toBe('onnx');
    expect(readFileSync(path.join(dir, 'data/schema.json'), 'utf8')).toBe('data/schema.json');
  });

  test('has a provenance over all files, which names its version', async () => {
    expect(await addPassport(dir, origin, null)).toEqual(['provenance.json']);
    const statement = await verifyProvenance(dir);
    expect(names(statement.subject)).toEqual(['MLmodel', 'data/schema.json', 'model.onnx']);
    expect(statement.predicate.runDetails.byproducts).toContainEqual({
      name: 'registered model',
      annotations: { model: 'iris-classifier', version: '3' },
    });
  });

  test('is signed where there is a key: the provenance too', async () => {
    expect(await addPassport(dir, origin, { pem: pair.privateKey })).toEqual([
      'provenance.json',
      'model.sig',
    ]);
    const signed = await verifyModel(dir, pair.publicKey);
    expect(names(signed)).toEqual(['MLmodel', 'data/schema.json', 'model.onnx', 'provenance.json']);
  });
});
