import { execFileSync } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import {
  appendFileSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { verifyProvenance, writeProvenance, type Origin } from '../../../integrations/signing/provenance';
import { signModel } from '../../../integrations/signing/sign-model';
import { checkModel } from '../../../integrations/signing/check-model';
import { verifyModel } from '../../../integrations/signing/verify-model';
import { testWith } from '../../tools/needs';

/** PyPI’s model-signing 1.1.1, which judges what we sign; the test set-up installs it and names it here. */
const executable = process.env.RETRAIN_TEST_MODEL_SIGNING;
const judged = testWith('model-signing');
const FIXTURE = join(__dirname, '../../fixtures/signing');

let dir: string;
let model: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'signing-'));
  model = join(dir, 'model');
  cpSync(join(FIXTURE, 'model'), model, { recursive: true });
});
afterEach(() => rmSync(dir, { recursive: true }));

const pem = { type: 'spki', format: 'pem' } as const;
const keys = (namedCurve = 'prime256v1') =>
  generateKeyPairSync('ec', {
    namedCurve,
    publicKeyEncoding: pem,
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
  });
const theirs = readFileSync(join(FIXTURE, 'public.pem'), 'utf8');
const change = (alter: (bundle: { dsseEnvelope: { payload: string } } & Record<string, unknown>) => void) => {
  const file = join(model, 'model.sig');
  const bundle = JSON.parse(readFileSync(file, 'utf8')) as { dsseEnvelope: { payload: string } };
  alter(bundle);
  writeFileSync(file, JSON.stringify(bundle));
};

test('what model-signing 1.1.1 signed is accepted', async () => {
  const files = await verifyModel(model, theirs);
  expect(files.map(({ name }) => name)).toEqual(['a.txt', 'sub/b é.txt', 'sub-x']);
});

test('the first file that differs, is missing or was added is named', async () => {
  appendFileSync(join(model, 'sub-x'), '!');
  await expect(verifyModel(model, theirs)).rejects.toThrow(
    /sub-x has SHA-256 \w{64}, the signature says \w{64}/,
  );
  appendFileSync(join(model, 'a.txt'), '!');
  await expect(verifyModel(model, theirs)).rejects.toThrow('model/a.txt has SHA-256');
  rmSync(join(model, 'a.txt'));
  await expect(verifyModel(model, theirs)).rejects.toThrow('model/a.txt is missing');
  cpSync(join(FIXTURE, 'model'), model, { recursive: true });
  writeFileSync(join(model, 'added'), '');
  await expect(verifyModel(model, theirs)).rejects.toThrow('model/added is not covered by the signature');
});

test('a link in a model is refused', async () => {
  symlinkSync('a.txt', join(model, 'link'));
  await expect(verifyModel(model, theirs)).rejects.toThrow('link is a symbolic link');
});

test('another key, and a signature that was tampered with, are refused', async () => {
  await expect(verifyModel(model, keys().publicKey)).rejects.toThrow('made with another key');
  change((bundle) => delete bundle.verificationMaterial);
  await expect(verifyModel(model, theirs)).rejects.toThrow('verificationMaterial');
  cpSync(join(FIXTURE, 'model'), model, { recursive: true });
  change((bundle) => {
    const payload = Buffer.from(bundle.dsseEnvelope.payload, 'base64').toString();
    bundle.dsseEnvelope.payload = Buffer.from(payload.replace('a.txt', 'b.txt')).toString('base64');
  });
  await expect(verifyModel(model, theirs)).rejects.toThrow('its content was not signed with this key');
  writeFileSync(join(model, 'model.sig'), '{');
  await expect(verifyModel(model, theirs)).rejects.toThrow('it is no JSON');
  rmSync(join(model, 'model.sig'));
  await expect(verifyModel(model, theirs)).rejects.toThrow('the model is not signed');
});

test.each(['prime256v1', 'secp384r1', 'secp521r1'])(
  'a model signed on %s verifies, and only as it was',
  async (curve) => {
    const { privateKey, publicKey } = keys(curve);
    await signModel(model, privateKey);
    await verifyModel(model, publicKey);
    appendFileSync(join(model, 'a.txt'), '!');
    await expect(verifyModel(model, publicKey)).rejects.toMatchObject({ code: 'VERIFICATION_FAILED' });
  },
);

test('an encrypted key takes a passphrase, and keys of other kinds are refused', async () => {
  const { privateKey } = generateKeyPairSync('ec', {
    namedCurve: 'prime256v1',
    publicKeyEncoding: pem,
    privateKeyEncoding: { type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase: 'open' },
  });
  await signModel(model, privateKey, { passphrase: 'open' });
  await expect(signModel(model, privateKey, { passphrase: 'wrong' })).rejects.toThrow(
    'the private key cannot be read',
  );
  const { publicKey } = generateKeyPairSync('ed25519', {
    publicKeyEncoding: pem,
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
  });
  await expect(verifyModel(model, publicKey)).rejects.toThrow(
    'is of kind ed25519; expected an elliptic curve key',
  );
  await expect(signModel(join(dir, 'none'), keys().privateKey)).rejects.toMatchObject({
    code: 'DATA_NOT_FOUND',
  });
});

judged(
  'model-signing accepts what we sign, and refuses it after a change',
  async () => {
    const { privateKey, publicKey } = keys();
    writeFileSync(join(dir, 'public.pem'), publicKey);
    mkdirSync(join(model, 'deep/er'), { recursive: true });
    writeFileSync(join(model, 'deep/er/😀"\\.bin'), Buffer.alloc(100_000, 7));
    await signModel(model, privateKey);
    const verify = () =>
      execFileSync(
        executable!,
        [
          'verify',
          'key',
          model,
          '--signature',
          join(model, 'model.sig'),
          '--public_key',
          join(dir, 'public.pem'),
        ],
        { encoding: 'utf8', stdio: 'pipe' },
      );
    expect(verify()).toContain('Verification succeeded');
    appendFileSync(join(model, 'sub-x'), '!');
    expect(verify).toThrow();
  },
  60_000,
);

const hash = (digit: string) => digit.repeat(64);
const origin: Origin = {
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

test('the provenance names the model’s files and all that they were made of, and the signature covers it', async () => {
  const statement = await writeProvenance(model, origin);
  expect(statement.subject.map(({ name }) => name)).toEqual(['a.txt', 'sub/b é.txt', 'sub-x']);
  const dependencies = statement.predicate.buildDefinition.resolvedDependencies;
  expect(dependencies.map(({ digest }) => digest)).toEqual([
    { sha256: hash('2'), md5: '3'.repeat(32) },
    { sha256: hash('1') },
    { sha256: hash('5') },
    { gitCommit: '7'.repeat(40) },
    { sha256: hash('8') },
  ]);
  expect(dependencies[3]?.uri).toBe(`git+ssh://git@example.org/team/iris.git@${'7'.repeat(40)}`);
  const { privateKey, publicKey } = keys();
  await signModel(model, privateKey);
  expect(await verifyProvenance(model)).toEqual(statement);
  writeFileSync(
    join(model, 'provenance.json'),
    readFileSync(join(model, 'provenance.json'), 'utf8').replace('iris', 'oris'),
  );
  await expect(verifyModel(model, publicKey)).rejects.toThrow('provenance.json has SHA-256');
});

test('a model that differs from its provenance is refused, and one without is said to have none', async () => {
  await expect(verifyProvenance(model)).rejects.toThrow('the model has no provenance');
  await writeProvenance(model, { ...origin, git: { commit: '', branch: '', dirty: false, remoteUrl: '' } });
  appendFileSync(join(model, 'sub-x'), '!');
  await expect(verifyProvenance(model)).rejects.toThrow(/sub-x has SHA-256 \w+, provenance.json says/);
  writeFileSync(join(model, 'provenance.json'), '{"_type": "x"}');
  await expect(verifyProvenance(model)).rejects.toThrow('is no in-toto statement');
});

describe('the directory of a registered version', () => {
  const claimed = { model: 'iris-classifier', version: '3', mlflowRunId: 'm' };
  const check = (claim: object, publicKey: string | null = null) =>
    checkModel(model, { what: 'iris-classifier v3', publicKey, claimed: { ...claimed, ...claim } });

  test('passes as what it was made as', async () => {
    const pair = keys();
    await writeProvenance(model, origin);
    await signModel(model, pair.privateKey);
    expect(await check({}, pair.publicKey)).toMatchObject({ signature: 'valid' });
  });

  test.each([
    [
      'the signed directory of another model',
      { model: 'fraud' },
      'names the model iris-classifier, expected fraud',
    ],
    ['the signed directory of an older version', { version: '4' }, 'names the version 3, expected 4'],
    ['the signed directory of another run', { mlflowRunId: 'n' }, 'names the MLflow run m, expected n'],
  ])('is refused when it is %s', async (_attack, claim, message) => {
    const pair = keys();
    await writeProvenance(model, origin);
    await signModel(model, pair.privateKey);
    await expect(check(claim, pair.publicKey)).rejects.toMatchObject({
      code: 'VERIFICATION_FAILED',
      message: expect.stringContaining(message) as string,
    });
  });

  test('is refused without a provenance, however well it is signed', async () => {
    const pair = keys();
    await signModel(model, pair.privateKey);
    await expect(check({}, pair.publicKey)).rejects.toThrow('iris-classifier v3 has no provenance.json');
  });

  test('of before the provenance named the version is held against model and run', async () => {
    const statement = await writeProvenance(model, origin);
    const { runDetails } = statement.predicate;
    const byproducts = runDetails.byproducts?.filter(({ name }) => name !== 'registered model');
    const old = {
      ...statement,
      predicate: { ...statement.predicate, runDetails: { ...runDetails, byproducts } },
    };
    writeFileSync(join(model, 'provenance.json'), JSON.stringify(old));
    expect(await check({ version: '9' })).toMatchObject({ signature: 'unchecked' });
    await expect(check({ model: 'fraud' })).rejects.toThrow('names the model iris-classifier');
    await expect(check({ mlflowRunId: 'n' })).rejects.toThrow('names the MLflow run m');
  });
});
