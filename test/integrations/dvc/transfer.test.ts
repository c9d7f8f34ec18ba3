import { spawn } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { buildSync } from 'esbuild';
import { ContentStore } from '../../../integrations/dvc/content-store';
import { readDvcConfig, remoteNamed } from '../../../integrations/dvc/dvc-config';
import { writeDvcFile } from './write-dvc-file';
import { pull } from '../../../integrations/dvc/pull';
import { push } from '../../../integrations/dvc/push';
import { openRemote } from '../../../pipeline/open-remote';
import type { TransferProgress } from '../../../integrations/dvc/transfer';
import { FolderStorage } from '../../../integrations/objectstore/folder-storage';
import { HttpStorage } from '../../../integrations/objectstore/http-storage';
import type { ObjectStorage } from '../../../integrations/files/object-storage';
import { hasMinio, startMinio, withMinio, type Minio } from '../objectstore/minio';
import { ObjectServer } from '../objectstore/object-server';
import { dvc, dvcAside, dvcInit, judged } from './real-dvc';

let dir: string;
let server: ObjectServer;
let store: ContentStore;
const opened: ObjectStorage[] = [];
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'transfer-'));
  server = new ObjectServer();
  store = new ContentStore(join(dir, 'cache'));
});
afterEach(async () => {
  for (const storage of opened.splice(0)) storage.close();
  await server.stop().catch(() => undefined);
  rmSync(dir, { recursive: true, force: true });
});

const http = async () => {
  const storage = new HttpStorage({ url: await server.start() });
  opened.push(storage);
  return storage;
};
const write = (path: string, content: string | Buffer) => {
  mkdirSync(join(dir, path, '..'), { recursive: true });
  writeFileSync(join(dir, path), content);
};
const aFewFiles = () => {
  for (let index = 0; index < 20; index++) write(`data/d${index % 3}/${index}.txt`, `file ${index}`);
  write('data/same', 'file 0');
  return store.put(join(dir, 'data'), 'data');
};
/** Few attempts where a remote never recovers, so that the test need not wait. */
const impatient = { attempts: 2 };
/** Short waits where it does. */
const quick = { firstWaitMs: 10 };

test('a push brings files, then the manifest; another one brings nothing; a pull elsewhere gives the same', async () => {
  const artifact = await aFewFiles();
  const remote = await http();
  const seen: TransferProgress[] = [];
  const result = await push(store, remote, [artifact], { onProgress: (progress) => seen.push(progress) });
  expect(result).toEqual({ moved: 21, present: 0, movedBytes: expect.any(Number) as number });
  expect(seen.at(-1)).toMatchObject({
    doneObjects: 21,
    totalObjects: 21,
    doneBytes: result.movedBytes,
    totalBytes: result.movedBytes,
  });
  const uploads = server.requests.filter((line) => line.startsWith('POST'));
  expect(uploads).toHaveLength(21);
  expect(uploads.at(-1)).toContain(artifact.md5.slice(2));

  expect(await push(store, remote, [artifact])).toEqual({ moved: 0, present: 21, movedBytes: 0 });
  const other = new ContentStore(join(dir, 'other'));
  expect(await pull(other, remote, [artifact])).toMatchObject({ moved: 21, present: 0 });
  await other.verify(artifact);
  expect(await pull(other, remote, [artifact])).toMatchObject({ moved: 0, present: 21 });
  expect(readdirSync(join(dir, 'other/retrain-staging'))).toEqual([]);
});

test('many objects are asked for by listing the remote, few one by one', async () => {
  for (let index = 0; index < 600; index++) write(`data/${index}`, String(index));
  const artifact = await store.put(join(dir, 'data'), 'data');
  const remote = new FolderStorage(join(dir, 'remote'));
  await push(store, remote, [artifact]);
  const stat = jest.spyOn(remote, 'stat');
  const list = jest.spyOn(remote, 'list');
  expect(await push(store, remote, [artifact])).toMatchObject({ moved: 0, present: 601 });
  expect(list.mock.calls.length).toBeGreaterThan(100);
  list.mockClear();
  stat.mockClear();
  const one = await store.putBytes('0', 'one');
  expect(await push(store, remote, [one])).toMatchObject({ moved: 0, present: 1 });
  expect(list).not.toHaveBeenCalled();
  expect(stat).toHaveBeenCalledTimes(1);
});

test('a remote in trouble for a while is waited for', async () => {
  const artifact = await aFewFiles();
  const remote = await http();
  server.fault = (_request, count) => (count % 3 === 0 ? 500 : count % 7 === 0 ? 'reset' : undefined);
  expect(await push(store, remote, [artifact], quick)).toMatchObject({ moved: 21 });
  const other = new ContentStore(join(dir, 'other'));
  await pull(other, remote, [artifact], quick);
  await other.verify(artifact);
});

test('a remote that refuses for ever is one clear error, at once', async () => {
  const artifact = await aFewFiles();
  const remote = await http();
  server.fault = () => 403;
  await expect(push(store, remote, [artifact])).rejects.toMatchObject({ code: 'REMOTE_REFUSED' });
  const other = new ContentStore(join(dir, 'other'));
  await expect(pull(other, remote, [artifact])).rejects.toThrow('403 no luck; check user and password');
  expect(server.requests.length).toBeLessThan(40);
  expect(await other.has(artifact)).toBe(false);
});

test('a remote that never recovers is given up after the attempts', async () => {
  const artifact = await store.putBytes('abc', 'data');
  const remote = await http();
  server.fault = () => 500;
  await expect(push(store, remote, [artifact], impatient)).rejects.toMatchObject({
    code: 'REMOTE_UNREACHABLE',
  });
  expect(server.requests).toHaveLength(2);
});

test('a connection that breaks in the middle of an object is taken up where it broke', async () => {
  const content = Buffer.alloc(3 << 20, 'some of this');
  write('big', content);
  const artifact = await store.put(join(dir, 'big'), 'big');
  const remote = await http();
  await push(store, remote, [artifact]);
  const ranges: (string | undefined)[] = [];
  server.fault = (request) => {
    ranges.push(request.headers.range);
    return ranges.length < 3 ? 'cut' : undefined;
  };
  const other = new ContentStore(join(dir, 'other'));
  expect(await pull(other, remote, [artifact])).toEqual({ moved: 1, present: 0, movedBytes: content.length });
  await other.verify(artifact);
  expect(ranges).toHaveLength(3);
  expect(ranges[0]).toBeUndefined();
  expect(ranges[2]).toMatch(/^bytes=\d{6,}-$/);
});

test('an object that is cut short on the remote is named, kept out of the cache, and mended by the next push', async () => {
  const artifact = await aFewFiles();
  const remote = await http();
  await push(store, remote, [artifact]);
  const [key, body] = [...server.objects].find(([each]) => !each.endsWith('.dir'))!;
  server.objects.set(key, body.subarray(1));
  const other = new ContentStore(join(dir, 'other'));
  const failed = pull(other, remote, [artifact]);
  await expect(failed).rejects.toMatchObject({ code: 'ARTIFACT_DAMAGED' });
  await expect(failed).rejects.toThrow(/data\/\S+ is damaged on http.*push it again/);
  expect(await other.has(artifact)).toBe(false);
  expect(existsSync(other.pathOf(artifact.md5))).toBe(false);
  expect(await push(store, remote, [artifact])).toMatchObject({ moved: 1 });
  await pull(other, remote, [artifact]);
  await other.verify(artifact);
});

test('an object that the remote lacks is named; so is one that the cache lacks, before anything is sent', async () => {
  const artifact = await aFewFiles();
  const remote = await http();
  const other = new ContentStore(join(dir, 'other'));
  await expect(pull(other, remote, [artifact])).rejects.toThrow(
    /data \(md5 .*\.dir\) is neither in the cache nor on http/,
  );
  server.requests.length = 0;
  rmSync(store.pathOf((await store.manifest(artifact))[3]!.md5));
  await expect(push(store, remote, [artifact])).rejects.toMatchObject({ code: 'ARTIFACT_MISSING' });
  expect(server.requests).toEqual([]);
});

test('an object that is damaged in the cache is not pushed but set aside', async () => {
  const artifact = await store.putBytes('abc', 'data');
  chmodSync(store.pathOf(artifact.md5), 0o644);
  writeFileSync(store.pathOf(artifact.md5), 'abd');
  const remote = new FolderStorage(join(dir, 'remote'));
  await expect(push(store, remote, [artifact])).rejects.toMatchObject({ code: 'ARTIFACT_DAMAGED' });
  expect(await store.has(artifact)).toBe(false);
  expect(existsSync(join(dir, 'remote/files/md5/90/0150983cd24fb0d6963f7d28e17f72'))).toBe(false);
});

test('a damaged object in the cache is fetched again', async () => {
  const artifact = await store.putBytes('abc', 'data');
  const remote = new FolderStorage(join(dir, 'remote'));
  await push(store, remote, [artifact]);
  chmodSync(store.pathOf(artifact.md5), 0o644);
  truncateSync(store.pathOf(artifact.md5), 1);
  await pull(store, remote, [artifact]);
  await store.verify(artifact);
});

test('a push that is killed leaves nothing dangling, and the next one completes it', async () => {
  for (let index = 0; index < 300; index++) write(`data/${index}`, Buffer.alloc(20_000, index));
  const artifact = await store.put(join(dir, 'data'), 'data');
  const script = join(dir, 'push.js');
  buildSync({
    stdin: {
      contents: `
        import { ContentStore } from './integrations/dvc/content-store';
        import { push } from './integrations/dvc/push';
        import { FolderStorage } from './integrations/objectstore/folder-storage';
        void push(new ContentStore(process.argv[2]!), new FolderStorage(process.argv[3]!), [JSON.parse(process.argv[4]!)], { atOnce: 2 });`,
      resolveDir: process.cwd(),
      loader: 'ts',
    },
    bundle: true,
    platform: 'node',
    packages: 'external',
    outfile: script,
    logLevel: 'silent',
  });
  const remoteDir = join(dir, 'remote');
  const child = spawn(process.execPath, [script, store.cacheDir, remoteDir, JSON.stringify(artifact)], {
    stdio: 'ignore',
    env: { ...process.env, NODE_PATH: join(process.cwd(), 'node_modules') },
  });
  const ended = new Promise((resolve) => child.once('exit', resolve));
  const arrived = () =>
    existsSync(remoteDir)
      ? readdirSync(join(remoteDir), { recursive: true }).filter((path) =>
          /\/[0-9a-f]{30}/.test(String(path)),
        ).length
      : 0;
  while (arrived() < 20 && child.exitCode === null) await sleep(1);
  child.kill('SIGKILL');
  await ended;
  expect(arrived()).toBeLessThan(301);
  const remote = new FolderStorage(remoteDir);
  expect(await remote.stat(`files/md5/${artifact.md5.slice(0, 2)}/${artifact.md5.slice(2)}`)).toBeNull();

  const result = await push(store, remote, [artifact]);
  expect(result.moved).toBeLessThan(301);
  const other = new ContentStore(join(dir, 'other'));
  await pull(other, remote, [artifact]);
  await other.verify(artifact);
  expect(readdirSync(join(remoteDir, 'retrain-staging'))).toEqual([]);
}, 60_000);

test.each([
  ['gs://bucket/x', {}, 'gs:// is not supported'],
  ['s3://bucket/x', { version_aware: 'true' }, 'has version_aware = true'],
  ['https://host/x', { auth: 'basic', user: 'me' }, 'needs user and password'],
  ['https://host/x', { auth: 'digest' }, 'expected basic or custom'],
])('a remote at %s with %j is refused by name', async (url, settings, message) => {
  await expect(openRemote({ url, ...settings })).rejects.toThrow(message);
});

test('Basic auth and a header of the server’s own are sent', async () => {
  const artifact = await store.putBytes('abc', 'data');
  const url = await server.start();
  server.authorization = `Basic ${Buffer.from('me:t0ken').toString('base64')}`;
  for (const settings of [
    { auth: 'basic', user: 'me', password: 't0ken' },
    { auth: 'custom', custom_auth_header: 'Authorization', password: server.authorization, method: 'PUT' },
  ]) {
    server.objects.clear();
    const remote = await openRemote({ url, ...settings });
    opened.push(remote);
    await push(store, remote, [artifact]);
    expect(server.objects.size).toBe(1);
  }
  expect(server.requests.some((line) => line.startsWith('PUT'))).toBe(true);
  const anonymous = await openRemote({ url });
  opened.push(anonymous);
  await expect(push(store, anonymous, [artifact])).rejects.toMatchObject({ code: 'REMOTE_REFUSED' });
});

describe('with the real dvc on the same remote', () => {
  let minio: Minio | undefined;
  beforeAll(async () => {
    if (hasMinio) minio = await startMinio();
  }, 60_000);
  afterAll(() => minio?.stop());

  const configure = async (kind: string) => {
    if (kind === 'folder') dvc(dir, 'remote', 'add', '-d', 'store', '../remote');
    if (kind === 's3') {
      dvc(dir, 'remote', 'add', '-d', 'store', `s3://${minio!.bucket}/from dvc`);
      dvc(dir, 'remote', 'modify', 'store', 'endpointurl', minio!.endpoint);
      dvc(dir, 'remote', 'modify', '--local', 'store', 'access_key_id', minio!.credentials.accessKeyId);
      dvc(
        dir,
        'remote',
        'modify',
        '--local',
        'store',
        'secret_access_key',
        minio!.credentials.secretAccessKey,
      );
    }
    if (kind === 'http') {
      server.authorization = `Basic ${Buffer.from('me:t0ken').toString('base64')}`;
      dvc(dir, 'remote', 'add', '-d', 'store', await server.start());
      for (const [key, value] of [
        ['auth', 'basic'],
        ['user', 'me'],
        ['password', 't0ken'],
      ]) {
        dvc(dir, 'remote', 'modify', '--local', 'store', key!, value!);
      }
    }
    const remote = await openRemote(remoteNamed(await readDvcConfig(join(dir, '.dvc'), [])));
    opened.push(remote);
    return remote;
  };

  for (const kind of ['folder', 's3', 'http']) {
    const withBoth = kind === 's3' && !hasMinio ? withMinio : judged;
    withBoth(
      `what we push, dvc pulls, and what dvc pushes, we pull (${kind})`,
      async () => {
        mkdirSync(join(dir, 'repo'));
        const top = dir;
        dir = join(dir, 'repo');
        try {
          dvcInit(dir);
          const remote = await configure(kind);
          const ours = new ContentStore(join(dir, '.dvc/cache'));
          write('data/ü/a.csv', '1\n');
          write('data/b.csv', '2\n');
          write('data/empty', '');
          const artifact = await ours.put(join(dir, 'data'), 'data');
          writeDvcFile(join(dir, 'data.dvc'), { ...artifact, nfiles: 3 });
          await push(ours, remote, [artifact]);
          expect(await dvcAside(dir, 'status', '--cloud')).toContain('in sync');
          rmSync(join(dir, '.dvc/cache'), { recursive: true });
          rmSync(join(dir, 'data'), { recursive: true });
          await dvcAside(dir, 'pull', '--quiet');
          expect(readFileSync(join(dir, 'data/ü/a.csv'), 'utf8')).toBe('1\n');

          write('more/c.csv', '3\n');
          dvc(dir, 'add', '--quiet', 'more');
          await dvcAside(dir, 'push', '--quiet');
          const md5 = /md5: (\S+)/.exec(readFileSync(join(dir, 'more.dvc'), 'utf8'))![1]!;
          const elsewhere = new ContentStore(join(dir, 'elsewhere'));
          await pull(elsewhere, remote, [{ name: 'more', md5, sizeBytes: 2 }]);
          expect(await elsewhere.has({ md5, sizeBytes: 2 })).toBe(true);
        } finally {
          dir = top;
        }
      },
      180_000,
    );
  }
});
