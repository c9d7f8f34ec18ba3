import { createHash, generateKeyPairSync, sign } from 'node:crypto';
import {
  appendFileSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { checkModel } from '../../integrations/signing/check-model';
import { type Origin, writeProvenance } from '../../integrations/signing/provenance';
import { signModel } from '../../integrations/signing/sign-model';
import { type Attack, describeAttacks } from './attack';

const root = mkdtempSync(path.join(tmpdir(), 'signature-attacks-'));
const at = (...names: string[]): string => path.join(root, ...names);

const pair = (): { publicKey: string; privateKey: string } =>
  generateKeyPairSync('ec', {
    namedCurve: 'prime256v1',
    publicKeyEncoding: { type: 'spki', format: 'pem' },
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
  });
const ours = pair();
const theirs = pair();

const origin = (change: Partial<Origin> = {}): Origin => ({
  ...{ model: 'iris', modelVersion: '3', params: { model: 'iris' }, paramsHash: '1'.repeat(64) },
  data: { path: 'data/iris.csv', sha256: '2'.repeat(64), md5: '3'.repeat(32), sizeBytes: 1 },
  ...{ codeHash: '4'.repeat(64), pipelineKey: '5'.repeat(64) },
  git: { commit: 'c'.repeat(40), branch: 'main', dirty: false, remoteUrl: '' },
  ...{ workflowId: 'train-iris', workflowRunId: 'run', mlflowRunId: 'm', mlflowExperimentId: '1' },
  ...{ startedAt: '2026-01-31T12:00:00Z', finishedAt: '2026-01-31T12:00:05Z', version: '0.1.0' },
  ...change,
});

/** A model directory as the worker signs it. */
async function makeModel(name: string, change: Partial<Origin> = {}, key = ours.privateKey): Promise<void> {
  mkdirSync(at(name, 'sub'), { recursive: true });
  writeFileSync(at(name, 'model.onnx'), `onnx of ${name}`);
  writeFileSync(at(name, 'sub/MLmodel'), 'mlmodel');
  await writeProvenance(at(name), origin(change));
  await signModel(at(name), key);
}

beforeAll(async () => {
  await makeModel('honest');
  await makeModel('older', { modelVersion: '2' });
  await makeModel('other', { model: 'credit', params: { model: 'credit' } });
  await makeModel('forced', { mlflowRunId: 'another' });
  await makeModel('foreign', {}, theirs.privateKey);
});
afterAll(() => rmSync(root, { recursive: true }));

let made = 0;

/** What the registry hands out as iris v3, after somebody has been at it; checked as every user of a model does. */
const handedOut =
  (change: (dir: string) => void, from = 'honest') =>
  async (): Promise<unknown> => {
    const dir = at(`handed-out-${made++}`, 'iris');
    cpSync(at(from), dir, { recursive: true });
    change(dir);
    return checkModel(dir, {
      what: 'iris v3',
      publicKey: ours.publicKey,
      claimed: { model: 'iris', version: '3', mlflowRunId: 'm' },
    });
  };

interface Bundle {
  dsseEnvelope: { payload: string; payloadType: string; signatures: { sig: string }[] };
}

/** Changes the signature's file. */
const bundle =
  (change: (bundle: Bundle) => unknown) =>
  (dir: string): void => {
    const file = path.join(dir, 'model.sig');
    writeFileSync(file, JSON.stringify(change(JSON.parse(readFileSync(file, 'utf8')) as Bundle)));
  };

/** Another statement, under a signature of this key. */
const restated = (change: (statement: string) => string, key: string): ((dir: string) => void) =>
  bundle((all) => {
    const payload = Buffer.from(change(Buffer.from(all.dsseEnvelope.payload, 'base64').toString()));
    const type = all.dsseEnvelope.payloadType;
    const signed = Buffer.concat([Buffer.from(`DSSEv1 ${type.length} ${type} ${payload.length} `), payload]);
    const sig = sign('sha256', signed, key).toString('base64');
    return {
      ...all,
      dsseEnvelope: { ...all.dsseEnvelope, payload: payload.toString('base64'), signatures: [{ sig }] },
    };
  });

const file =
  (name: string, change: (file: string) => void) =>
  (dir: string): void =>
    change(path.join(dir, name));

const attack = (name: string, says: RegExp, change: (dir: string) => void, from?: string): Attack => ({
  name,
  attempt: handedOut(change, from),
  code: 'VERIFICATION_FAILED',
  says,
});

const untouched = (): void => undefined;
const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');

const ATTACKS: Attack[] = [
  attack(
    'changes a byte of the model',
    /model\.onnx has SHA-256/,
    file('model.onnx', (at) => appendFileSync(at, '!')),
  ),
  attack(
    'changes a file beside it',
    /MLmodel has SHA-256/,
    file('sub/MLmodel', (at) => appendFileSync(at, '!')),
  ),
  attack(
    'adds a file that Python would load',
    /sitecustomize\.py/,
    file('sitecustomize.py', (at) => writeFileSync(at, 'x')),
  ),
  attack(
    'takes a file away',
    /MLmodel/,
    file('sub/MLmodel', (at) => rmSync(at)),
  ),
  attack('gives a file another name', /model\.onnx|other\.onnx/, (dir) =>
    renameSync(path.join(dir, 'model.onnx'), path.join(dir, 'other.onnx')),
  ),
  attack('puts a link to the same bytes elsewhere in place of the model', /model\.onnx/, (dir) => {
    rmSync(path.join(dir, 'model.onnx'));
    symlinkSync(at('honest', 'model.onnx'), path.join(dir, 'model.onnx'));
  }),
  attack(
    'takes the signature away',
    /is not signed/,
    file('model.sig', (at) => rmSync(at)),
  ),
  attack(
    'empties the signature',
    /is no JSON/,
    file('model.sig', (at) => writeFileSync(at, '')),
  ),
  attack(
    'has a signature without signatures',
    /signatures/,
    bundle((all) => ({ ...all, dsseEnvelope: { ...all.dsseEnvelope, signatures: [] } })),
  ),
  attack(
    'has an empty signature',
    /was not signed with this key/,
    bundle((all) => ({ ...all, dsseEnvelope: { ...all.dsseEnvelope, signatures: [{ sig: '' }] } })),
  ),
  attack(
    'calls it a signature of something else',
    /payloadType|no valid signature/,
    bundle((all) => ({ ...all, dsseEnvelope: { ...all.dsseEnvelope, payloadType: 'text/plain' } })),
  ),
  attack('signs with a key of their own', /another key/, untouched, 'foreign'),
  attack(
    'signs other content with a key of their own, and keeps our key’s name',
    /was not signed with this key/,
    restated((text) => text.replace(sha256('mlmodel'), sha256('evil')), theirs.privateKey),
  ),
  attack(
    'changes what was signed, under our signature',
    /was not signed with this key/,
    bundle((all) => ({
      ...all,
      dsseEnvelope: {
        ...all.dsseEnvelope,
        payload: Buffer.from(
          Buffer.from(all.dsseEnvelope.payload, 'base64')
            .toString()
            .replace(sha256('mlmodel'), sha256('evil')),
        ).toString('base64'),
      },
    })),
  ),
  attack('hands out an older version that was signed', /version 2, expected 3/, untouched, 'older'),
  attack('hands out another model that was signed', /model credit, expected iris/, untouched, 'other'),
  attack(
    'hands out another run’s model under the same name and version',
    /MLflow run another, expected m/,
    untouched,
    'forced',
  ),
  attack(
    'takes the provenance away',
    /provenance\.json/,
    file('provenance.json', (at) => rmSync(at)),
  ),
  attack(
    'writes the wanted version into the provenance',
    /provenance\.json has SHA-256/,
    file('provenance.json', (at) => writeFileSync(at, readFileSync(at, 'utf8').replace('"2"', '"3"'))),
    'older',
  ),
];

describeAttacks('whoever can write to the registry, where a key is set,', ATTACKS, handedOut(untouched));
