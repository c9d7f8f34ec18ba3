import { execFileSync } from 'node:child_process';
import {
  appendFileSync,
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import fc from 'fast-check';
import { parse } from 'yaml';
import { ContentStore } from '../../../integrations/dvc/content-store';
import { StateDb } from '../../../integrations/dvc/state-db';
import { digestTree } from '../../../integrations/dvc/tree-digest';
import { isNightly } from '../../tools/nightly';
import { dvc, dvcInit, judged } from './real-dvc';

/** That are generated. */
const TREES = isNightly ? 300 : 60;

let dir: string;
beforeEach(() => (dir = mkdtempSync(join(tmpdir(), 'tree-'))));
afterEach(() => rmSync(dir, { recursive: true, force: true }));

const write = (path: string, content: string) => {
  mkdirSync(dirname(join(dir, path)), { recursive: true });
  writeFileSync(join(dir, path), content);
};
/** So old that no write can hide behind its stamp. */
const age = (path: string) => utimesSync(join(dir, path), 1_600_000_000, 1_600_000_000);

// `dvc add` of DVC 3.67.1 said so for this tree.
const GOLDEN = {
  files: {
    'a b.csv': '1\n',
    'sub/é.txt': '2',
    'sub/\ue000': '3',
    'sub/😀': '4',
    'sub/"quoted"\\\n\u007f': '',
    Z: '5',
  },
  md5: 'd691135a41f641c1cb083cb20986faf9.dir',
};

test('a folder with odd names hashes to what DVC says', async () => {
  for (const [path, content] of Object.entries(GOLDEN.files)) write(`data/${path}`, content);
  expect((await digestTree(join(dir, 'data'))).md5).toBe(GOLDEN.md5);
});

test('the SHA-256 of a folder is what sha256sum says of its files', async () => {
  for (const [path, content] of Object.entries(GOLDEN.files)) write(`data/${path}`, content);
  const pipeline = "find . -type f -printf '%P\\0' | LC_ALL=C sort -z | xargs -0 sha256sum | sha256sum";
  const expected = execFileSync('sh', ['-c', pipeline], { cwd: join(dir, 'data'), encoding: 'utf8' });
  expect((await digestTree(join(dir, 'data'))).sha256).toBe(expected.slice(0, 64));
});

// Names that the file system takes and that DVC does not treat in a way of its own.
const name = fc
  .string({ unit: 'grapheme', minLength: 1, maxLength: 12 })
  .filter((text) => !/[/\0]/.test(text) && !['.', '..', '.dvcignore', '.git', '.hg', '.dvc'].includes(text))
  .filter((text) => Buffer.byteLength(text) < 200);
const tree = fc.dictionary(
  fc.array(name, { minLength: 1, maxLength: 6 }).map((parts) => parts.join('/')),
  fc.string({ maxLength: 20 }),
  { minKeys: 1, maxKeys: 8 },
);

judged(
  'generated trees hash to what dvc add says, and DVC finds its objects in our cache',
  async () => {
    dvcInit(dir);
    const trees = fc.sample(tree, { numRuns: TREES, seed: 20 });
    trees.forEach((files, index) => {
      for (const [path, content] of Object.entries(files)) {
        try {
          write(`t${index}/${path}`, content);
        } catch (error) {
          // One path is a folder on the way to another: the tree goes on without it.
          if (!/EEXIST|ENOTDIR|EISDIR/.test(String(error))) throw error;
        }
      }
    });
    const names = trees.map((_, index) => `t${index}`);
    dvc(dir, 'add', '--quiet', ...names);
    const ours = new ContentStore(join(dir, 'ours'));
    const cached = new Set<string>();
    for (const tracked of names) {
      const { outs } = parse(readFileSync(join(dir, `${tracked}.dvc`), 'utf8')) as {
        outs: { md5: string; size: number; nfiles: number }[];
      };
      const artifact = await ours.put(join(dir, tracked), tracked);
      expect(artifact).toMatchObject({ md5: outs[0]!.md5, sizeBytes: outs[0]!.size });
      expect(await digestTree(join(dir, tracked))).toMatchObject({ nfiles: outs[0]!.nfiles });
      cached.add(artifact.md5);
    }
    const objects = (cache: string) => readdirSync(join(cache, 'files/md5'), { recursive: true }).sort();
    expect(objects(join(dir, 'ours'))).toEqual(objects(join(dir, '.dvc/cache')));
    expect(cached.size).toBeGreaterThan(0.8 * TREES);
  },
  300_000,
);

test('empty folders and links to folders do not count, links to files do', async () => {
  write('data/a', '1');
  const { md5 } = await digestTree(join(dir, 'data'));
  mkdirSync(join(dir, 'data/empty'));
  symlinkSync(dir, join(dir, 'data/up'));
  expect((await digestTree(join(dir, 'data'))).md5).toBe(md5);
  symlinkSync(join(dir, 'data/a'), join(dir, 'data/b'));
  expect((await digestTree(join(dir, 'data'))).nfiles).toBe(2);
});

test('what cannot be data is refused by name', async () => {
  write('data/a', '1');
  symlinkSync('nowhere', join(dir, 'data/broken'));
  await expect(digestTree(join(dir, 'data'))).rejects.toThrow('data/broken is a broken link');
  rmSync(join(dir, 'data/broken'));
  write('data/sub/.dvcignore', '');
  await expect(digestTree(join(dir, 'data'))).rejects.toThrow('allows no .dvcignore within tracked data');
  await expect(digestTree(join(dir, 'none'))).rejects.toMatchObject({ code: 'DATA_NOT_FOUND' });
  execFileSync('mkfifo', [join(dir, 'data/pipe')]);
  rmSync(join(dir, 'data/sub'), { recursive: true });
  await expect(digestTree(join(dir, 'data'))).rejects.toThrow('pipe is a device, socket or pipe');
  rmSync(join(dir, 'data/pipe'));
  writeFileSync(Buffer.concat([Buffer.from(join(dir, 'data/')), Buffer.from([0xff])]), '');
  await expect(digestTree(join(dir, 'data'))).rejects.toThrow('the name is not valid UTF-8');
});

test('an unchanged folder is not read again, a changed one only where it changed', async () => {
  const state = StateDb.open(join(dir, 'state.db'));
  for (const path of ['data/a', 'data/b', 'data/sub/c']) {
    write(path, path);
    age(path);
  }
  const first = await digestTree(join(dir, 'data'), { state });
  // Root reads past permissions, so other bytes under the old stamp show what is read.
  const { ino } = statSync(join(dir, 'data/a'));
  write('data/a', 'DATA/A');
  age('data/a');
  expect(statSync(join(dir, 'data/a')).ino).toBe(ino);
  expect(await digestTree(join(dir, 'data'), { state })).toEqual(first);

  write('data/b', 'other');
  const second = await digestTree(join(dir, 'data'), { state });
  write('data/a', 'data/a');
  age('data/a');
  expect(second).toEqual(await digestTree(join(dir, 'data')));
  state.close();
});

test('added, removed and renamed files are noticed', async () => {
  const state = StateDb.inMemory();
  for (const path of ['data/a', 'data/b']) {
    write(path, path);
    age(path);
  }
  const seen = [await digestTree(join(dir, 'data'), { state })];
  renameSync(join(dir, 'data/b'), join(dir, 'data/c'));
  seen.push(await digestTree(join(dir, 'data'), { state }));
  rmSync(join(dir, 'data/c'));
  seen.push(await digestTree(join(dir, 'data'), { state }));
  write('data/d', '');
  seen.push(await digestTree(join(dir, 'data'), { state }));
  expect(new Set(seen.map(({ md5 }) => md5)).size).toBe(4);
  expect(seen[3]).toEqual(await digestTree(join(dir, 'data')));
});

test('a file written to in the moment of hashing is not remembered', async () => {
  const state = StateDb.inMemory();
  write('data/a', '1');
  utimesSync(join(dir, 'data/a'), Date.now() / 1000 + 5, Date.now() / 1000 + 5);
  await digestTree(join(dir, 'data'), { state });
  expect(state.filesBelow(join(dir, 'data')).size).toBe(0);
});

test('a directory goes into the store and comes out again, file by file', async () => {
  for (const [path, content] of Object.entries(GOLDEN.files)) write(`data/${path}`, content);
  const store = new ContentStore(join(dir, 'cache'));
  const artifact = await store.put(join(dir, 'data'), 'data');
  expect(await store.has(artifact)).toBe(true);
  await store.verify(artifact);
  expect(await store.describe('data', artifact.md5)).toEqual(artifact);
  await store.take(artifact, join(dir, 'out'));
  await store.take(artifact, join(dir, 'out'));
  expect((await digestTree(join(dir, 'out'))).sha256).toBe(artifact.sha256);
  expect(readdirSync(join(dir, 'cache/retrain-staging'))).toEqual([]);
});

test('a directory with a file missing or damaged in the store is not there', async () => {
  write('data/a', 'aaa');
  write('data/b', 'bbb');
  const store = new ContentStore(join(dir, 'cache'));
  const artifact = await store.put(join(dir, 'data'), 'data');
  const object = store.pathOf('47bce5c74f589f4867dbd57e9ca9f808'); // printf aaa | md5sum
  chmodSync(object, 0o644);
  writeFileSync(object, 'aax');
  await expect(store.verify(artifact)).rejects.toThrow(
    'data/a (md5 47bce5c74f589f4867dbd57e9ca9f808) has MD5',
  );
  expect(await store.has(artifact)).toBe(false);
  await expect(store.take(artifact, join(dir, 'out'))).rejects.toMatchObject({ code: 'ARTIFACT_MISSING' });
  await store.put(join(dir, 'data'), 'data');
  await store.verify(artifact);
});

test('an unchanged directory whose objects are gone is stored again', async () => {
  const state = StateDb.inMemory();
  write('data/a', 'aaa');
  age('data/a');
  const store = new ContentStore(join(dir, 'cache'), state);
  const artifact = await store.put(join(dir, 'data'), 'data');
  rmSync(join(dir, 'cache/files'), { recursive: true });
  await store.put(join(dir, 'data'), 'data');
  await store.verify(artifact);
});

test('a manifest that names a path outside is refused as a whole', async () => {
  const store = new ContentStore(join(dir, 'cache'));
  const md5 = '47bce5c74f589f4867dbd57e9ca9f808';
  for (const relpath of ['../x', '/etc/x', 'a/../../x', 'a//b', './a']) {
    const artifact = await store.putBytes(JSON.stringify([{ md5, relpath }]), 'data');
    const asTree = { ...artifact, md5: `${artifact.md5}.dir` };
    renameSync(store.pathOf(artifact.md5), store.pathOf(asTree.md5));
    await expect(store.take(asTree, join(dir, 'out'))).rejects.toThrow('leaves the directory');
  }
});

test('a state file that is no database is replaced, and two processes may hold it', () => {
  const path = join(dir, 'state.db');
  appendFileSync(path, 'not a database, not a database, not a database, not a database, not a database, not');
  const one = StateDb.open(path);
  const two = StateDb.open(path);
  const stamp = { sizeBytes: 3, mtimeMs: 1, ino: 2 };
  const digest = { md5: '0'.repeat(32), sha256: '1'.repeat(64), sizeBytes: 3 };
  one.saveFiles([{ path: '/a', stamp, digest }]);
  expect(two.file('/a', stamp)).toEqual(digest);
  expect(two.file('/a', { ...stamp, mtimeMs: 2 })).toBeUndefined();
  one.close();
  two.close();
});
