import { execFileSync } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import { appendFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { verifyProvenance } from '../../../integrations/signing/provenance';
import { verifyModel } from '../../../integrations/signing/verify-model';
import { type MlflowRun } from '../../../integrations/mlflow/run-record';
import { RegistryView } from './registry-view';
import { TestProject } from './test-project';

jest.setTimeout(120_000);

const REMOTE = 'https://github.com/team/iris.git';
const keys = generateKeyPairSync('ec', {
  namedCurve: 'P-256',
  privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
  publicKeyEncoding: { type: 'spki', format: 'pem' },
});

describe('a run of a dirty tree, by a worker that has a signing key', () => {
  const project = new TestProject({}, { RETRAIN_SIGNING_KEY: 'signing.pem' });
  const registry = new RegistryView(project.model);
  let run: MlflowRun | undefined;
  let commit: string;
  let model: string;
  const git = (...args: string[]): string =>
    execFileSync('git', ['-C', project.dir, '-c', 'user.name=t', '-c', 'user.email=t@example.org', ...args], {
      encoding: 'utf8',
    }).trim();

  beforeAll(async () => {
    git('init', '--quiet');
    git('remote', 'add', 'origin', REMOTE);
    git('add', 'data', 'params.yaml');
    git('commit', '--quiet', '--message=one');
    commit = git('rev-parse', 'HEAD');
    appendFileSync(project.path('params.yaml'), 'notify: { on: [] }\n');
    writeFileSync(project.path('signing.pem'), keys.privateKey);
    await project.startWorker();
    await project.start('--wait');
    [run] = await registry.runs();
    model = await downloadedModel();
  });
  afterAll(async () => {
    await registry.close();
    await project.remove();
  });

  async function downloadedModel(): Promise<string> {
    const dir = project.path('downloaded/model');
    await registry.mlflow.artifacts.downloadFolder(await registry.modelRoot(run), '', dir);
    return dir;
  }

  test('names the commit, what was beyond it, and the page of the data', async () => {
    expect(run?.tags).toMatchObject({
      git_commit: commit,
      git_dirty: 'true',
      'data_md5.data/iris.csv': run?.tags['data_md5'],
      'data_url.data/iris.csv': `https://github.com/team/iris/blob/${commit}/data/iris.csv`,
      'artifact_sha256.model.onnx': expect.stringMatching(/^[0-9a-f]{64}$/) as string,
      'code_hash.train': expect.stringMatching(/^[0-9a-f]{64}$/) as string,
    });
    expect(JSON.parse(run?.tags['library_versions'] ?? '{}')).toMatchObject({ node: process.versions.node });
    const patch = await registry.mlflow.artifacts.downloadBytes(run?.artifactUri ?? '', 'git.patch');
    expect(Buffer.from(patch).toString()).toContain('+notify: { on: [] }');
  });

  test('has a provenance that names data, params and code, over all files of the model', async () => {
    const statement = await verifyProvenance(model);
    expect(statement.subject.map(({ name }) => name)).toEqual(
      expect.arrayContaining(['model.onnx', 'MLmodel']),
    );
    expect(statement.predicate.buildDefinition.resolvedDependencies).toEqual(
      expect.arrayContaining([
        expect.objectContaining({
          name: 'data/iris.csv',
          digest: { sha256: run?.tags['data_hash'], md5: run?.tags['data_md5'] },
        }),
        expect.objectContaining({ uri: `git+${REMOTE}@${commit}` }),
      ]),
    );
  });

  test('has a signature over the model and its provenance', async () => {
    const files = await verifyModel(model, keys.publicKey);
    expect(files.map(({ name }) => name)).toEqual(expect.arrayContaining(['model.onnx', 'provenance.json']));
    appendFileSync(path.join(model, 'MLmodel'), '\n');
    await expect(verifyModel(model, keys.publicKey)).rejects.toThrow('MLmodel');
  });
});
