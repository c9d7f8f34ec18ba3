import {
  appendFileSync,
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { dataStatus, describeStatus } from '../../../integrations/dvc/data-status';
import { writeDvcFile } from './write-dvc-file';
import { ignoreRules } from '../../../integrations/dvc/ignore-rules';
import { push } from '../../../integrations/dvc/push';
import { readLockFile } from '../../../integrations/dvc/lock-file';
import { recordPipeline, type RecordedStage } from '../../../integrations/dvc/record-pipeline';
import { restoreOuts } from '../../../integrations/dvc/restore';
import { trackedOuts } from '../../../integrations/dvc/tracked-outs';
import { digestTree } from '../../../integrations/dvc/tree-digest';
import {
  ignoreInGit,
  initWorkspace,
  openWorkspace,
  type Workspace,
} from '../../../integrations/dvc/workspace';
import { FolderStorage } from '../../../integrations/objectstore/folder-storage';
import { dvc, dvcInit, judged } from './real-dvc';

let top: string;
let dir: string;
let workspace: Workspace;
beforeEach(async () => {
  top = mkdtempSync(join(tmpdir(), 'workspace-'));
  dir = join(top, 'project');
  mkdirSync(dir);
  await initWorkspace(dir);
  workspace = (await openWorkspace(dir, { outerConfigDirs: [] }))!;
});
afterEach(() => {
  workspace.close();
  rmSync(top, { recursive: true, force: true });
});

const at = (path: string) => join(dir, path);
const text = (path: string) => readFileSync(at(path), 'utf8');
const write = (path: string, content: string) => {
  mkdirSync(join(at(path), '..'), { recursive: true });
  writeFileSync(at(path), content);
};
const track = async (path: string) => {
  const artifact = await workspace.store.put(at(path), path);
  const isTree = artifact.md5.endsWith('.dir');
  const isExecutable = !isTree && (statSync(at(path)).mode & 0o100) !== 0;
  const nfiles = isTree ? (await workspace.store.manifest(artifact)).length : undefined;
  writeDvcFile(at(`${path}.dvc`), {
    ...artifact,
    ...(nfiles !== undefined && { nfiles }),
    isExecutable,
  });
  return artifact;
};
const status = async () => (await dataStatus(workspace, await trackedOuts(dir))).map(describeStatus);
const restoreAll = async (options: Parameters<typeof restoreOuts>[2] = {}) =>
  restoreOuts(workspace, await trackedOuts(dir), options);

test('a workspace is found from a folder below it, and none is found outside', async () => {
  mkdirSync(at('a/b'), { recursive: true });
  const opened = await openWorkspace(at('a/b'), { outerConfigDirs: [] });
  expect(opened).toMatchObject({ root: dir, placeMode: 'copy' });
  opened?.close();
  expect(await openWorkspace(top)).toBeNull();
});

test('the status says of each tracked path how it stands', async () => {
  for (const path of ['same.csv', 'changed.csv', 'gone.csv', 'lost.csv', 'sub/tree/a', 'sub/tree/b'])
    write(path, path);
  for (const path of ['same.csv', 'changed.csv', 'gone.csv', 'lost.csv', 'sub/tree']) await track(path);
  appendFileSync(at('changed.csv'), '!');
  rmSync(at('gone.csv'));
  write('sub/tree/c', 'new');
  const lost = (await trackedOuts(dir)).find(({ path }) => path === 'lost.csv')!;
  rmSync(workspace.store.pathOf(lost.md5));
  expect(await status()).toEqual([
    'modified   changed.csv (changed.csv.dvc)',
    'deleted    gone.csv (gone.csv.dvc)',
    'unchanged  lost.csv (lost.csv.dvc), not in the cache',
    'unchanged  same.csv (same.csv.dvc)',
    'modified   sub/tree/ (sub/tree.dvc)',
  ]);
});

test('a restore puts back what is recorded, files and folders, and leaves what is right alone', async () => {
  write('a.csv', 'a');
  write('tree/x', 'x');
  write('tree/y', 'y');
  write('run.sh', '#!/bin/sh\n');
  chmodSync(at('run.sh'), 0o755);
  for (const path of ['a.csv', 'tree', 'run.sh']) await track(path);
  rmSync(at('a.csv'));
  rmSync(at('tree/x'));
  rmSync(at('run.sh'));
  const { mtimeMs } = statSync(at('tree/y'));
  expect(await restoreAll()).toEqual({ written: ['a.csv', 'run.sh', 'tree/x'], removed: [] });
  expect([text('a.csv'), text('tree/x')]).toEqual(['a', 'x']);
  expect(statSync(at('run.sh')).mode & 0o111).toBe(0o111);
  expect(statSync(at('tree/y')).mtimeMs).toBe(mtimeMs);
  expect(await restoreAll()).toEqual({ written: [], removed: [] });
  appendFileSync(at('a.csv'), 'writable, and not the cached object');
  expect((await trackedOuts(dir)).map(({ path }) => path)).toEqual(['a.csv', 'run.sh', 'tree']);
  await workspace.store.verify({ ...(await workspace.store.putBytes('a', 'a')), name: 'a' });
});

test('local changes stop a restore before anything is written, and are listed; force overrides', async () => {
  write('a.csv', 'a');
  write('tree/x', 'x');
  write('tree/y', 'y');
  for (const path of ['a.csv', 'tree']) await track(path);
  write('tree/x', 'my edit');
  write('tree/notes', 'mine');
  rmSync(at('a.csv'));
  const stopped = restoreAll();
  await expect(stopped).rejects.toMatchObject({ code: 'LOCAL_CHANGES' });
  await expect(stopped).rejects.toThrow('tree/notes, tree/x would be lost');
  expect(existsSync(at('a.csv'))).toBe(false);
  expect(text('tree/x')).toBe('my edit');
  expect(await restoreAll({ force: true })).toEqual({
    written: ['a.csv', 'tree/x'],
    removed: ['tree/notes'],
  });
  expect(readdirSync(at('tree')).sort()).toEqual(['x', 'y']);
});

test('a change that the cache has is no loss', async () => {
  write('a.csv', 'old');
  const old = await track('a.csv');
  write('a.csv', 'new');
  await track('a.csv');
  await restoreOuts(workspace, [{ path: 'a.csv', ...old }]);
  expect(text('a.csv')).toBe('old');
});

test('what the cache lacks is fetched from the remote, and without one it is named', async () => {
  write('tree/x', 'x');
  write('a.csv', 'a');
  const artifacts = [await track('tree'), await track('a.csv')];
  const remote = new FolderStorage(join(top, 'remote'));
  await push(workspace.store, remote, artifacts);
  rmSync(at('.dvc/cache'), { recursive: true });
  rmSync(at('tree'), { recursive: true });
  rmSync(at('a.csv'));
  await expect(restoreAll()).rejects.toThrow(/a.csv \(md5 .*\) is not in/);
  await restoreAll({ remote });
  expect([text('tree/x'), text('a.csv')]).toEqual(['x', 'a']);
});

test('a path that leaves the workspace is refused: to the parent, absolute, or through a link', async () => {
  const secret = await workspace.store.putBytes('harm', 'harm');
  const outside = join(top, 'outside');
  mkdirSync(outside);
  for (const path of ['../outside/x', join(outside, 'x'), 'a/../../outside/x']) {
    await expect(restoreOuts(workspace, [{ ...secret, path }])).rejects.toThrow('leaves');
  }
  symlinkSync(outside, at('link'));
  await expect(restoreOuts(workspace, [{ ...secret, path: 'link/x' }])).rejects.toThrow('"link/x" leaves');
  write('tree/sub/x', 'x');
  const tree = await workspace.store.put(at('tree'), 'tree');
  rmSync(at('tree/sub'), { recursive: true });
  symlinkSync(outside, at('tree/sub'));
  await expect(restoreOuts(workspace, [{ ...tree, path: 'tree' }])).rejects.toThrow('"tree/sub/x" leaves');
  expect(readdirSync(outside)).toEqual([]);
  unlinkSync(at('tree/sub'));
  symlinkSync(join(outside, 'target'), at('file'));
  await restoreOuts(workspace, [{ ...secret, path: 'file' }], { force: true });
  expect(statSync(at('file')).isFile()).toBe(true);
  expect(readdirSync(outside)).toEqual([]);
});

test('a folder in the way of a file is refused', async () => {
  write('a.csv', 'a');
  await track('a.csv');
  rmSync(at('a.csv'));
  mkdirSync(at('a.csv'));
  await expect(restoreAll()).rejects.toThrow('a.csv is a folder where a file is to be restored');
});

test('a tracked path enters .gitignore once', async () => {
  await ignoreInGit(at('models/iris'));
  await ignoreInGit(at('models/iris'));
  await ignoreInGit(at('models/other'));
  expect(text('models/.gitignore')).toBe('/iris\n/other\n');
});

const trainStage = async (): Promise<RecordedStage> => ({
  name: 'train',
  cmd: 'sh train.sh',
  deps: [{ path: 'data', content: { ...(await workspace.store.put(at('data'), 'data')), nfiles: 1 } }],
  params: { train: { n_estimators: 100 } },
  outs: [
    {
      path: 'models/m.txt',
      content: await workspace.store.put(at('models/m.txt'), 'm'),
      kind: 'out',
      keptIn: 'cache',
    },
    {
      path: 'metrics.json',
      content: await workspace.store.put(at('metrics.json'), 'm'),
      kind: 'metric',
      keptIn: 'git',
    },
  ],
});
const writeProject = () => {
  write('data/a.csv', '1\n');
  write('params.yaml', 'train:\n  n_estimators: 100\n');
  write('train.sh', 'mkdir -p models; echo trained > models/m.txt; echo {} > metrics.json\n');
  write('models/m.txt', 'trained\n');
  write('metrics.json', '{}\n');
};

test('stages that are recorded at once are all in the lock, and git ignores their outputs', async () => {
  writeProject();
  const stage = await trainStage();
  await Promise.all([
    recordPipeline(workspace, [stage]),
    recordPipeline(workspace, [{ ...stage, name: 'other' }]),
  ]);
  const locked = await readLockFile(at('dvc.lock'));
  expect(Object.keys(locked).sort()).toEqual(['other', 'train']);
  expect(locked['train']?.outs.map(({ path }) => path).sort()).toEqual(['metrics.json', 'models/m.txt']);
  expect(text('models/.gitignore')).toBe('/m.txt\n');
});

judged(
  'dvc has nothing to do after us, and what dvc ran we need not run',
  async () => {
    writeProject();
    const stage = await trainStage();
    await recordPipeline(workspace, [stage]);
    expect(dvc(dir, 'status')).toContain('Data and pipelines are up to date.');
    write('params.yaml', 'train:\n  n_estimators: 200\n');
    expect(dvc(dir, 'status')).toMatch(/modified: +train/);
    dvc(dir, 'repro', '--quiet');
    const { train } = await readLockFile(at('dvc.lock'));
    expect(train?.params).toEqual({ 'params.yaml': { train: { n_estimators: 200 } } });
    expect(train?.outs.find(({ path }) => path === 'models/m.txt')?.md5).toBe(stage.outs[0]!.content.md5);
    dvc(dir, 'add', '--quiet', 'data');
    expect(await status()).toEqual([
      'unchanged  data/ (data.dvc)',
      'unchanged  models/m.txt (dvc.lock: train)',
    ]);
  },
  120_000,
);

judged(
  'what .dvcignore leaves out for dvc is left out by us',
  async () => {
    rmSync(at('.dvc'), { recursive: true });
    dvcInit(dir);
    write('.dvcignore', '*.log\n/data/keep/tmp/\n!important.log\n');
    write('sub/.dvcignore', 'a.txt\n!b.log\n');
    for (const base of ['data', 'sub/data']) {
      for (const path of [
        'a.txt',
        'b.log',
        'important.log',
        'keep/tmp/x',
        'keep/tmp.txt',
        '.git/config',
        'deep/.dvc/y',
      ]) {
        write(`${base}/${path}`, path);
      }
    }
    for (const base of ['data', 'sub/data']) {
      dvc(dir, 'add', '--quiet', base);
      const recorded = (await trackedOuts(dir)).find(({ path }) => path === base)!;
      expect((await digestTree(at(base), { ignored: ignoreRules(dir, at(base)) })).md5).toBe(recorded.md5);
    }
  },
  120_000,
);
