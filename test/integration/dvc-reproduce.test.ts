import { execFileSync } from 'node:child_process';
import {
  appendFileSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import { parseDocument } from 'yaml';
import { initWorkspace } from '../../integrations/dvc/workspace';
import { RegistryView } from './pipeline/registry-view';
import { ROOT, TestProject } from './pipeline/test-project';
import { nightly } from '../tools/nightly';

jest.setTimeout(180_000);

const project = new TestProject();
const registry = new RegistryView(project.model);
const MODEL = `${project.model}@production`;

const git = (...args: string[]): string =>
  execFileSync('git', ['-c', 'user.name=t', '-c', 'user.email=t@example.com', '-C', project.dir, ...args], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
  });

/** This very repository as somebody's project: its tracked files in a repository of their own, packages and build linked. */
function becomeThisRepository(): void {
  const files = execFileSync('git', ['-C', ROOT, 'ls-files', '-z'], { encoding: 'utf8' }).split('\0');
  for (const file of files) {
    const [from, to] = [path.join(ROOT, file), project.path(file)];
    if (file === '' || !existsSync(from)) continue;
    mkdirSync(path.dirname(to), { recursive: true });
    copyFileSync(from, to);
  }
  for (const folder of ['node_modules', 'dist']) symlinkSync(path.join(ROOT, folder), project.path(folder));
  const params = parseDocument(readFileSync(path.join(ROOT, 'params.yaml'), 'utf8'));
  params.set('model', project.model);
  params.set('experiment', project.model);
  writeFileSync(project.path('params.yaml'), params.toString());
  git('init', '--quiet');
  appendFileSync(project.path('.git/info/exclude'), '/node_modules\n/dist\n');
  git('add', '--all');
  git('commit', '--quiet', '--message', 'project');
}

beforeAll(async () => {
  becomeThisRepository();
  await initWorkspace(project.dir);
  await project.startWorker();
  expect(await project.start('--wait')).toMatchObject({ code: 0, result: { alias: 'production' } });
});
afterAll(async () => {
  await project.remove();
  await registry.close();
});

interface Report {
  git: { commit: string };
  artifacts: Record<string, string>;
  reproduction: { verdict: string; stage: string | null; differences: string[]; notes: string[] } | null;
}

test('the model in production reproduces bit-identically in a clean worktree, and nothing else is touched', async () => {
  const before = { status: git('status', '--porcelain'), versions: await registry.versions() };
  const { code, stdout, stderr } = await project.cli(['reproduce', MODEL, '--run', '--json']);
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  const { reproduction, git: made } = JSON.parse(stdout) as Report;
  expect(reproduction).toEqual({ verdict: 'bit-identical', stage: null, differences: [], notes: [] });
  expect(made.commit).toBe(git('rev-parse', 'HEAD').trim());
  const [version] = await registry.versions();
  expect(version?.tags).toMatchObject({
    reproduced: 'bit-identical',
    reproduced_commit: made.commit,
    reproduced_at: expect.stringMatching(/^\d{4}-/) as string,
  });
  expect(version?.aliases).toEqual(before.versions[0]?.aliases);
  expect(git('status', '--porcelain')).toBe(before.status);
  expect(git('worktree', 'list').trim().split('\n')).toHaveLength(1);
});

test('without --run, what was recorded and the steps by hand are printed', async () => {
  const { code, stdout } = await project.cli(['reproduce', project.model]);
  expect(code).toBe(0);
  for (const part of [
    `${project.model} v1`,
    /train\.n_estimators +100/,
    /accuracy +[01]\.?\d*/,
    /data\/iris\.csv, SHA-256 \w{64}, MD5 \w{32}/,
    `git checkout ${git('rev-parse', 'HEAD').trim()}`,
    `make restore MODEL=${project.model}@1`,
  ]) {
    expect(stdout).toMatch(part);
  }
  expect((await project.cli(['reproduce', `${project.model}@nobody`])).stderr).toMatch(
    /has no alias nobody; it has production/,
  );
});

test('--update-params writes the recorded params, comments kept', async () => {
  const recorded = readFileSync(project.path('params.yaml'), 'utf8');
  writeFileSync(project.path('params.yaml'), recorded.replace('n_estimators: 100', 'n_estimators: 3'));
  const { stdout } = await project.cli(['reproduce', MODEL, '--update-params']);
  expect(stdout).toContain('train.n_estimators 3 → 100');
  expect(readFileSync(project.path('params.yaml'), 'utf8')).toBe(recorded);
});

nightly(
  'the recorded params, data and uncommitted changes count; data that git does not have come out of the cache',
  async () => {
    writeFileSync(
      project.path('data/more.csv'),
      `${readFileSync(project.path('data/iris.csv'), 'utf8')}5.0,3.4,1.5,0.2,setosa\n`,
    );
    const params = readFileSync(project.path('params.yaml'), 'utf8');
    writeFileSync(project.path('params.yaml'), params.replace('accuracy: 0.90', 'accuracy: 0.80 # changed'));
    const set = ['--set', 'train.n_estimators=7', '--set', 'data.path=data/more.csv'];
    const started = await project.start('--wait', ...set);
    writeFileSync(project.path('params.yaml'), params);
    writeFileSync(project.path('README.md'), 'later\n');
    git('commit', '--quiet', '--message', 'later', '--', 'README.md');
    const version = `${project.model}@${started.result?.modelVersion}`;
    const again = await project.cli(['reproduce', version, '--run']);
    expect(again.stdout).toContain('with changes that were not committed');
    expect(again.stderr).toMatch(/commit +\w{12} and its patch/);
    expect(again.stderr).toMatch(/data +data\/more\.csv out of the cache/);
    // The commit is not that of the project any more, but its sources are.
    expect(again.stderr).toMatch(/build +that of this project/);
    expect(again.stdout.trim().split('\n').at(-1)).toBe(`${project.model} v2: bit-identical`);
  },
);

nightly(
  'tables that are joined are recorded, told apart, restored and brought along like the data',
  async () => {
    writeFileSync(
      project.path('data/origin.csv'),
      'species,height,planet\nsetosa,1,3\nversicolor,2,3\nvirginica,3,3\n',
    );
    const sql = 'SELECT data.*, height, planet FROM data JOIN origin USING (species) ORDER BY ALL';
    const set = ['--set', 'data.extra.origin=data/origin.csv', '--set', `preprocess.sql=${sql}`];
    const started = await project.start('--wait', ...set);
    expect(started).toMatchObject({ code: 0 });
    const run = (await registry.runs()).find(({ runId }) => runId === started.result?.mlflowRunId);
    expect(run?.tags).toMatchObject({
      data_hash: started.result?.dataHash,
      'data_md5.data/iris.csv': run?.tags['data_md5'],
      'data_md5.data/origin.csv': expect.stringMatching(/^[0-9a-f]{32}$/) as string,
    });
    // A column that is the same everywhere tells nothing: run and version say so.
    const warned = expect.stringMatching(/^constant: column "planet"/) as string;
    expect(run?.tags['warnings']).toEqual(warned);
    expect((await registry.versions())[0]?.tags['warnings']).toEqual(warned);
    expect(run?.tags['data_sha256']).not.toBe(started.result?.dataHash);
    const version = `${project.model}@${started.result?.modelVersion}`;
    rmSync(project.path('data/origin.csv'));
    expect((await project.cli(['restore', version])).stdout).toContain('data/origin.csv');
    const again = await project.cli(['reproduce', version, '--run']);
    expect(again.stderr).toMatch(/data +data\/iris\.csv as git has it/);
    expect(again.stderr).toMatch(/data +data\/origin\.csv out of the cache/);
    expect(again.stdout.trim().split('\n').at(-1)).toBe(`${version.replace('@', ' v')}: bit-identical`);
    expect((await project.cli(['plan', ...set])).stdout).toContain(started.result?.pipelineKey.slice(0, 16));
    appendFileSync(project.path('data/origin.csv'), 'another,4,3\n');
    expect((await project.cli(['plan', ...set])).stdout).toMatch(/preprocess +the data changed/);
    rmSync(project.path('data/origin.csv'));
  },
);

test('a restore brings back data and model of a version, and asks before it loses something', async () => {
  const data = readFileSync(project.path('data/iris.csv'), 'utf8');
  appendFileSync(project.path('data/iris.csv'), 'edited by hand\n');
  const refused = await project.cli(['restore', MODEL]);
  expect(refused).toMatchObject({
    code: 1,
    stderr: expect.stringMatching(/data\/iris\.csv would be lost/) as string,
  });
  const forced = await project.cli(['restore', MODEL, '--force']);
  expect(forced.code).toBe(0);
  expect(readFileSync(project.path('data/iris.csv'), 'utf8')).toBe(data);
  const first = (await registry.runs()).at(-1);
  const registered = await registry.mlflow.artifacts.downloadBytes(
    await registry.modelRoot(first),
    'model.onnx',
  );
  expect(readFileSync(project.path(`models/${project.model}/model.onnx`)).equals(registered)).toBe(true);
});

test('data that are lost here are restored from git, at the commit of the version', async () => {
  const data = readFileSync(project.path('data/iris.csv'), 'utf8');
  rmSync(project.path('.dvc/cache'), { recursive: true });
  rmSync(project.path('data/iris.csv'));
  expect((await project.cli(['restore', MODEL])).stdout).toContain('data/iris.csv');
  expect(readFileSync(project.path('data/iris.csv'), 'utf8')).toBe(data);
});

test('a registered model and metric that differ are found out', async () => {
  const first = (await registry.runs()).at(-1);
  const uri = await registry.modelRoot(first);
  expect((await project.cli(['verify', MODEL])).stdout).toContain(`${project.model} v1 is as it was made`);
  const bytes = await registry.mlflow.artifacts.downloadBytes(uri, 'model.onnx');
  await registry.mlflow.artifacts.uploadBytes(uri, 'model.onnx', Buffer.concat([bytes, Buffer.from([0])]));
  await registry.mlflow.runs.log(first?.runId ?? '', { metrics: { accuracy: 0.5 }, at: Date.now() });
  expect(await project.cli(['verify', MODEL])).toMatchObject({
    code: 1,
    stderr: expect.stringMatching(/model\.onnx has SHA-256 \w{64}, provenance\.json says/) as string,
  });
  const far = await project.cli(['reproduce', MODEL, '--run']);
  expect(far.code).toBe(1);
  expect(far.stdout).toMatch(
    /model\.onnx has SHA-256 \w{12} instead of \w{12}\n +accuracy is [\d.]+ instead of 0\.5/,
  );
  expect(far.stdout.trim().split('\n').at(-1)).toBe(`${project.model} v1: diverged at stage train`);
  expect((await registry.versions()).at(-1)?.tags['reproduced']).toBe('diverged at stage train');
});
