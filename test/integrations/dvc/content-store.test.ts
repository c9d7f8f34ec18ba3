import {
  appendFileSync,
  chmodSync,
  existsSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { ContentStore } from '../../../integrations/dvc/content-store';

const ABC = {
  name: 'data',
  sha256: 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad',
  md5: '900150983cd24fb0d6963f7d28e17f72',
  sizeBytes: 3,
};

let dir: string;
let store: ContentStore;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'store-'));
  store = new ContentStore(join(dir, 'cache'));
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

const at = (name: string) => join(dir, name);
const write = (name: string, content: string | Uint8Array) => {
  writeFileSync(at(name), content);
  return at(name);
};
const object = () => join(dir, 'cache/files/md5/90/0150983cd24fb0d6963f7d28e17f72');
const staged = () => readdirSync(join(dir, 'cache/retrain-staging'));

test('a file is stored where DVC looks for it, read-only, and the user’s own file is left as it was', async () => {
  const path = write('data.csv', 'abc');
  expect(await store.put(path, 'data')).toEqual(ABC);
  expect(readFileSync(object(), 'utf8')).toBe('abc');
  expect(statSync(object()).mode & 0o777).toBe(0o444);
  writeFileSync(path, 'user goes on');
  expect(readFileSync(object(), 'utf8')).toBe('abc');
  expect(staged()).toEqual([]);
});

test('bytes and a stage’s output are stored under the same name as the file', async () => {
  expect(await store.putBytes('abc', 'data')).toEqual(ABC);
  rmSync(object(), { force: true });
  expect(await store.putOwned(write('out.csv', 'abc'), 'data')).toEqual(ABC);
  expect(existsSync(at('out.csv'))).toBe(false);
  expect(staged()).toEqual([]);
});

test('an object that is there is kept, one that is cut short or writable is replaced', async () => {
  await store.putBytes('abc', 'data');
  const { ino } = statSync(object());
  await store.putBytes('abc', 'data');
  expect(statSync(object()).ino).toBe(ino);

  chmodSync(object(), 0o644);
  await store.putBytes('abc', 'data');
  expect(statSync(object()).mode & 0o777).toBe(0o444);

  truncateSync(object(), 1);
  await store.putBytes('abc', 'data');
  expect(readFileSync(object(), 'utf8')).toBe('abc');
});

test('fifty writers of one content leave one good object', async () => {
  const path = write('data.csv', 'abc');
  const all = await Promise.all(Array.from({ length: 50 }, () => store.put(path, 'data')));
  expect(all.every((artifact) => artifact.md5 === ABC.md5)).toBe(true);
  expect(readFileSync(object(), 'utf8')).toBe('abc');
  expect(staged()).toEqual([]);
});

test('content other than the expected is refused with both hashes and not stored', async () => {
  const path = write('data.csv', 'abd');
  const refused = store.put(path, 'data', { expect: { sha256: ABC.sha256 } });
  await expect(refused).rejects.toMatchObject({ code: 'DATA_CHANGED' });
  await expect(refused).rejects.toThrow(
    new RegExp(
      `SHA-256 a52d159f262b2c6ddb724a61840befc36eb30c88877a4030b65cbe86298449c9, expected ${ABC.sha256}`,
    ),
  );
  expect(existsSync(join(dir, 'cache/files'))).toBe(false);
  expect(staged()).toEqual([]);
});

test('a file that is written to while it is stored is refused', async () => {
  const path = write('data.csv', Buffer.alloc(64 << 20));
  const put = store.put(path, 'data');
  const writer = setInterval(() => appendFileSync(path, 'x'), 1);
  try {
    await expect(put).rejects.toMatchObject({ code: 'DATA_CHANGED' });
  } finally {
    clearInterval(writer);
  }
  expect(staged()).toEqual([]);
});

test('big files go through the threads, and the copy is what was hashed', async () => {
  const content = Buffer.alloc((9 << 20) + 5, 'abcdefg');
  const artifact = await store.put(write('big', content), 'big', { threadsFromBytes: 0 });
  expect(readFileSync(store.pathOf(artifact.md5)).equals(content)).toBe(true);
  await store.verify(artifact);
});

test('an output with other links is copied, as somebody may still write to it', async () => {
  linkSync(write('out.csv', 'abc'), at('other-link'));
  await store.putOwned(at('out.csv'), 'data');
  writeFileSync(at('other-link'), 'changed');
  expect(readFileSync(object(), 'utf8')).toBe('abc');
  expect(existsSync(at('out.csv'))).toBe(false);
});

test('an output that is a link or is not there is refused', async () => {
  symlinkSync('/etc/hostname', at('out.csv'));
  await expect(store.putOwned(at('out.csv'), 'data')).rejects.toThrow('not a regular file');
  await expect(store.putOwned(at('none'), 'data')).rejects.toThrow('no such file; expected the output data');
});

test('taking gives a read-only file, into folders that are made, again and again', async () => {
  const artifact = await store.putBytes('abc', 'data');
  for (let round = 0; round < 3; round++) await store.take(artifact, at('in/deep/data'));
  expect(readFileSync(at('in/deep/data'), 'utf8')).toBe('abc');
  expect(statSync(at('in/deep/data')).mode & 0o222).toBe(0);
  expect(readdirSync(at('in/deep'))).toEqual(['data']);
});

test('a copy that is taken belongs to its taker', async () => {
  const artifact = await store.putBytes('abc', 'data');
  write('data', 'older');
  await store.take(artifact, at('data'), { mode: 'copy' });
  appendFileSync(at('data'), 'def');
  expect(readFileSync(object(), 'utf8')).toBe('abc');
  expect(readFileSync(at('data'), 'utf8')).toBe('abcdef');
});

test('what is not in the store is said to be missing', async () => {
  expect(await store.has(ABC)).toBe(false);
  await expect(store.take(ABC, at('x'))).rejects.toMatchObject({ code: 'ARTIFACT_MISSING' });
  await expect(store.take(ABC, at('x'), { verify: true })).rejects.toMatchObject({
    code: 'ARTIFACT_MISSING',
  });
  expect(existsSync(at('x'))).toBe(false);
});

test('an object of another size is set aside and never used', async () => {
  const artifact = await store.putBytes('abc', 'data');
  expect(await store.has(artifact)).toBe(true);
  chmodSync(object(), 0o644);
  truncateSync(object(), 2);
  expect(await store.has(artifact)).toBe(false);
  await expect(store.take(artifact, at('x'))).rejects.toMatchObject({ code: 'ARTIFACT_DAMAGED' });
  expect(existsSync(at('x'))).toBe(false);
  expect(existsSync(object())).toBe(false);
  expect(readdirSync(join(dir, 'cache/retrain-damaged'))).toHaveLength(1);
  await expect(store.take(artifact, at('x'))).rejects.toMatchObject({ code: 'ARTIFACT_MISSING' });
});

test('an object with a flipped bit is found when it is verified', async () => {
  const artifact = await store.putBytes('abc', 'data');
  chmodSync(object(), 0o644);
  writeFileSync(object(), 'abb');
  await store.take(artifact, at('x'));
  await expect(store.take(artifact, at('y'), { verify: true })).rejects.toMatchObject({
    code: 'ARTIFACT_DAMAGED',
  });
  expect(existsSync(object())).toBe(false);
});

test('sweeping removes what dead processes of this host left, and old strangers, and nothing of the living', async () => {
  const area = join(dir, 'cache/retrain-staging');
  mkdirSync(area, { recursive: true });
  const host = hostname().replace(/[^A-Za-z0-9-]/g, '_');
  // A pid beyond the kernel’s limit is nobody’s.
  const names = [
    `${host}.99999999.dead`,
    `${host}.${process.pid}.living`,
    'elsewhere.1.fresh',
    'elsewhere.1.old',
  ];
  for (const name of names) writeFileSync(join(area, name), '');
  utimesSync(join(area, 'elsewhere.1.old'), 0, 0);
  expect(await store.sweep()).toBe(2);
  expect(readdirSync(area).sort()).toEqual(['elsewhere.1.fresh', `${host}.${process.pid}.living`].sort());
  expect(await new ContentStore(at('never-used')).sweep()).toBe(0);
});
