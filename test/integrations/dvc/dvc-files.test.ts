import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ContentStore } from '../../../integrations/dvc/content-store';
import { readDvcFile } from '../../../integrations/dvc/dvc-file';
import { writeDvcFile } from './write-dvc-file';
import { readLockFile, updateLockFile } from '../../../integrations/dvc/lock-file';
import { isUsable, lockEntry } from '../../../integrations/dvc/out-entry';
import { readPipelineFile, updatePipelineFile } from '../../../integrations/dvc/pipeline-file';
import { toYaml } from '../../../integrations/dvc/yaml-text';
import { dvc, dvcInit, judged } from './real-dvc';

let dir: string;
beforeEach(() => (dir = mkdtempSync(join(tmpdir(), 'files-'))));
afterEach(() => rmSync(dir, { recursive: true, force: true }));

const at = (path: string) => join(dir, path);
const text = (path: string) => readFileSync(at(path), 'utf8');
const write = (path: string, content: string) => {
  mkdirSync(join(at(path), '..'), { recursive: true });
  writeFileSync(at(path), content);
};
const MD5 = '900150983cd24fb0d6963f7d28e17f72'; // of abc, RFC 1321

const OWN_PIPELINE = `# our pipeline
stages:
    clean:   # runs first
        cmd: python clean.py   # in the venv
        deps:
            - raw.csv
        outs: [clean.csv]
    train:
        # the forest
        cmd: old command
        desc: Trains the forest
        deps:
            - clean.csv
plots:
    - loss.csv
`;

test('a file that is no .dvc file is refused, with its line', async () => {
  write('c.dvc', 'outs:\n- md5: [\n');
  await expect(readDvcFile(at('c.dvc'))).rejects.toThrow(/c\.dvc:\d+: /);
  write('d.dvc', 'outs: 7\n');
  await expect(readDvcFile(at('d.dvc'))).rejects.toThrow('d.dvc: outs:');
  expect(await readDvcFile(at('none.dvc'))).toBeNull();
});

test.each([
  ['an MD5 of old text mode', { path: 'a', md5: MD5 }],
  ['a path to the parent', { path: '../a', md5: MD5, hash: 'md5' }],
  ['an absolute path', { path: '/a', md5: MD5, hash: 'md5' }],
])('%s names no object of ours', (_what, entry) => {
  expect(isUsable(entry)).toBe(false);
});

test('what Python would take for a number or a date is quoted', () => {
  const values = [
    '1_000',
    '0b11',
    '2024-01-02',
    '1e5',
    '0o17',
    '=',
    '12',
    'true',
    '',
    '0x1f',
    '+.5e+3',
    'v1',
    '1.2.3',
  ];
  expect(toYaml(values)).toBe(
    `- '1_000'\n- '0b11'\n- '2024-01-02'\n- '1e5'\n- '0o17'\n- '='\n- '12'\n- "true"\n- ""\n- '0x1f'\n- '+.5e+3'\n- v1\n- 1.2.3\n`,
  );
});

test('stages enter a dvc.yaml of the user’s; comments, other stages and other settings stay', async () => {
  write('dvc.yaml', OWN_PIPELINE);
  await updatePipelineFile(at('dvc.yaml'), {
    train: { cmd: 'npx --no retrain stage train', deps: ['clean.csv'], outs: ['models'] },
    evaluate: { cmd: 'npx --no retrain stage evaluate', metrics: [{ 'metrics.json': { cache: false } }] },
  });
  const kept = [
    '# our pipeline',
    '# runs first',
    '# in the venv',
    '# the forest',
    'outs: [ clean.csv ]',
    '        deps:\n            - raw.csv',
    'plots:\n    - loss.csv',
  ];
  for (const part of kept) expect(text('dvc.yaml')).toContain(part);
  expect(await readPipelineFile(at('dvc.yaml'))).toEqual({
    clean: { cmd: 'python clean.py', deps: ['raw.csv'], outs: ['clean.csv'] },
    train: {
      cmd: 'npx --no retrain stage train',
      desc: 'Trains the forest',
      deps: ['clean.csv'],
      outs: ['models'],
    },
    evaluate: { cmd: 'npx --no retrain stage evaluate', metrics: [{ 'metrics.json': { cache: false } }] },
  });
  const written = text('dvc.yaml');
  await updatePipelineFile(at('dvc.yaml'), {
    train: { cmd: 'npx --no retrain stage train', outs: ['models'] },
  });
  expect(text('dvc.yaml')).toBe(written);
});

test('a dvc.yaml of nothing but a comment keeps it', async () => {
  write('dvc.yaml', '# to come');
  await updatePipelineFile(at('dvc.yaml'), { a: { cmd: 'true' } });
  expect(text('dvc.yaml')).toBe('# to come\nstages:\n  a:\n    cmd: "true"\n');
});

const train = {
  cmd: 'echo trained > model.txt',
  deps: [
    lockEntry('data', { md5: `${MD5}.dir`, sizeBytes: 3, nfiles: 1 }),
    lockEntry('b.csv', { md5: MD5, sizeBytes: 3 }),
  ],
  params: { 'z.yaml': { b: 1 }, 'params.yaml': { train: { seed: 42 }, 'data.path': 'x' } },
  outs: [lockEntry('run.sh', { md5: MD5, sizeBytes: 3, isExecutable: true })],
};

test('a lock is written in the order that dvc writes', async () => {
  await updateLockFile(at('dvc.lock'), { train });
  expect(text('dvc.lock')).toBe(`schema: '2.0'
stages:
  train:
    cmd: echo trained > model.txt
    deps:
    - path: b.csv
      hash: md5
      md5: ${MD5}
      size: 3
    - path: data
      hash: md5
      md5: ${MD5}.dir
      size: 3
      nfiles: 1
    params:
      params.yaml:
        data.path: x
        train:
          seed: 42
      z.yaml:
        b: 1
    outs:
    - path: run.sh
      hash: md5
      md5: ${MD5}
      size: 3
      isexec: true
`);
});

test('other stages of a lock stay, and a lock of DVC 1 is refused', async () => {
  await updateLockFile(at('dvc.lock'), { train, other: { ...train, cmd: 'other' } });
  await updateLockFile(at('dvc.lock'), { train: { ...train, cmd: 'new' } });
  const locked = await readLockFile(at('dvc.lock'));
  expect([locked.train?.cmd, locked.other?.cmd]).toEqual(['new', 'other']);
  write('old.lock', 'train:\n  cmd: x\n');
  await expect(updateLockFile(at('old.lock'), { train })).rejects.toThrow("has no schema '2.0'");
  expect(await readLockFile(at('none.lock'))).toEqual({});
});

const PARAMS = 'train:\n  n_estimators: 100\n  rate: 0.00001\n  max_depth:\n  version: 1_000_x\n';

judged(
  'dvc finds a pipeline that we wrote up to date and has nothing to do',
  async () => {
    dvcInit(dir);
    write('data/a.csv', '1\n');
    write('data/ü/b.csv', '2\n');
    write('params.yaml', PARAMS);
    write('model.txt', 'trained\n');
    write('metrics.json', '{"accuracy": 0.9}\n');
    const store = new ContentStore(at('.dvc/cache'));
    const data = await store.put(at('data'), 'data');
    const model = await store.put(at('model.txt'), 'model.txt');
    const metrics = await store.put(at('metrics.json'), 'metrics.json');
    const cmd = 'echo trained > model.txt';
    writeDvcFile(at('data.dvc'), { ...data, nfiles: 2 });
    await updatePipelineFile(at('dvc.yaml'), {
      train: {
        cmd,
        deps: ['data'],
        params: ['train'],
        outs: ['model.txt'],
        metrics: [{ 'metrics.json': { cache: false } }],
      },
    });
    await updateLockFile(at('dvc.lock'), {
      train: {
        cmd,
        deps: [lockEntry('data', { ...data, nfiles: 2 })],
        params: {
          'params.yaml': { train: { n_estimators: 100, rate: 0.00001, max_depth: null, version: '1_000_x' } },
        },
        outs: [lockEntry('model.txt', model), lockEntry('metrics.json', metrics)],
      },
    });
    expect(dvc(dir, 'status')).toContain('Data and pipelines are up to date.');
    expect(dvc(dir, 'repro')).toContain("Stage 'train' didn't change, skipping");
    rmSync(at('data'), { recursive: true });
    rmSync(at('model.txt'));
    dvc(dir, 'checkout');
    expect(text('data/ü/b.csv')).toBe('2\n');
    expect(text('model.txt')).toBe('trained\n');
    dvc(dir, 'gc', '--workspace', '--force');
    await store.verify(data);
    await store.verify(model);
  },
  120_000,
);

judged(
  'what dvc wrote is read, and what dvc writes after us is the same text',
  async () => {
    dvcInit(dir);
    write('data/a.csv', '1\n');
    write('tool.sh', '#!/bin/sh\n');
    writeFileSync(at('run.sh'), '#!/bin/sh\n', { mode: 0o755 });
    write('params.yaml', PARAMS.replace('0.00001', '0.001'));
    dvc(dir, 'add', 'data', 'run.sh');
    dvc(
      dir,
      'stage',
      'add',
      '--quiet',
      '-n',
      'train',
      '-d',
      'data',
      '-p',
      'train',
      '-o',
      'model.txt',
      'echo trained > model.txt',
    );
    dvc(dir, 'repro', '--quiet');
    const store = new ContentStore(at('.dvc/cache'));
    const data = await store.put(at('data'), 'data');
    const script = await store.put(at('run.sh'), 'run.sh');
    expect(await readDvcFile(at('run.sh.dvc'))).toMatchObject({ outs: [{ md5: script.md5, isexec: true }] });
    const byDvc = { data: text('data.dvc'), script: text('run.sh.dvc'), lock: text('dvc.lock') };
    const locked = await readLockFile(at('dvc.lock'));
    expect(locked.train?.deps[0]).toMatchObject({ path: 'data', md5: data.md5, size: data.sizeBytes });
    for (const path of ['data.dvc', 'run.sh.dvc', 'dvc.lock']) rmSync(at(path));
    writeDvcFile(at('data.dvc'), { ...data, nfiles: 1 });
    writeDvcFile(at('run.sh.dvc'), { ...script, isExecutable: true });
    await updateLockFile(at('dvc.lock'), { train: locked.train! });
    expect({ data: text('data.dvc'), script: text('run.sh.dvc'), lock: text('dvc.lock') }).toEqual(byDvc);
  },
  120_000,
);
