import { createHash } from 'node:crypto';
import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { ListMultipartUploadsCommand, ListPartsCommand, UploadPartCommand } from '@aws-sdk/client-s3';
import { CreateMultipartUploadCommand } from '@aws-sdk/client-s3';
import { FolderStorage } from '../../../integrations/objectstore/folder-storage';
import { HttpStorage } from '../../../integrations/objectstore/http-storage';
import type { ObjectStorage } from '../../../integrations/files/object-storage';
import { S3Storage } from '../../../integrations/objectstore/s3-storage';
import { hasMinio, startMinio, withMinio, type Minio } from './minio';
import { ObjectServer } from './object-server';

let dir: string;
let server: ObjectServer;
let minio: Minio | undefined;
beforeAll(async () => {
  if (hasMinio) minio = await startMinio();
}, 60_000);
afterAll(() => minio?.stop());
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'storage-'));
  server = new ObjectServer();
});
afterEach(async () => {
  await server.stop().catch(() => undefined);
  rmSync(dir, { recursive: true, force: true });
});

const s3 = (prefix: string, more: object = {}) => {
  const { endpoint, bucket, credentials } = minio!;
  return new S3Storage({ endpoint, bucket, credentials, prefix, ...more });
};
const upload = (content: string | Buffer) => {
  const path = join(dir, 'upload');
  writeFileSync(path, content);
  return {
    path,
    sizeBytes: Buffer.byteLength(content),
    md5: createHash('md5').update(content).digest('hex'),
  };
};
const content = async (storage: ObjectStorage, key: string, from?: number) => {
  const body = await storage.read(key, from === undefined ? {} : { from });
  return body && (await buffer(body)).toString();
};
const keys = async (storage: ObjectStorage, prefix: string) => {
  const found: string[] = [];
  for await (const { key, sizeBytes } of storage.list(prefix)!) found.push(`${key} ${sizeBytes}`);
  return found.sort();
};

const kinds: [string, typeof test, () => Promise<ObjectStorage>][] = [
  ['a folder', test, async () => new FolderStorage(join(dir, 'remote'))],
  ['a web server', test, async () => new HttpStorage({ url: await server.start() })],
  ['S3', withMinio, async () => s3('some/prefix')],
];

describe.each(kinds)('%s', (kind, run, open) => {
  run('gives back what it was given, from any byte on, and knows its size', async () => {
    const storage = await open();
    expect(await storage.stat('files/md5/ab/x')).toBeNull();
    expect(await storage.read('files/md5/ab/x')).toBeNull();
    let sent = 0;
    await storage.write('files/md5/ab/x', upload('0123456789'), { onBytes: (bytes) => (sent += bytes) });
    expect(sent).toBe(10);
    expect(await storage.stat('files/md5/ab/x')).toEqual({ key: 'files/md5/ab/x', sizeBytes: 10 });
    expect(await content(storage, 'files/md5/ab/x')).toBe('0123456789');
    expect(await content(storage, 'files/md5/ab/x', 7)).toBe('789');
    await storage.write('files/md5/ab/x', upload(''));
    expect(await content(storage, 'files/md5/ab/x')).toBe('');
    storage.close();
  });

  run('refuses bytes that are not what they are said to be', async () => {
    const storage = await open();
    const wrong = { ...upload('abc'), md5: '0'.repeat(32) };
    await expect(storage.write('files/md5/ab/y', wrong)).rejects.toHaveProperty('retryable');
    expect(await storage.stat('files/md5/ab/y')).toBeNull();
    storage.close();
  });

  if (kind === 'a web server') return;
  run('lists by prefix', async () => {
    const storage = await open();
    for (const key of ['files/md5/ab/1', 'files/md5/ab/2.dir', 'files/md5/ac/3'])
      await storage.write(key, upload('xyz'));
    const listed = (await keys(storage, 'files/md5/ab/')).filter((line) => !/[xy] /.test(line));
    expect(listed).toEqual(['files/md5/ab/1 3', 'files/md5/ab/2.dir 3']);
    expect(await keys(storage, 'files/md5/ff/')).toEqual([]);
    storage.close();
  });
});

test('a folder that is full, or may not be written, is said to be so', async () => {
  const storage = new FolderStorage('/dev/full/remote');
  await expect(storage.write('a', upload('x'))).rejects.toBeDefined();
  expect(existsSync(join(dir, 'remote'))).toBe(false);
});

test('an upload to a folder that is interrupted leaves nothing in its place', async () => {
  const storage = new FolderStorage(join(dir, 'remote'));
  const signal = AbortSignal.abort(new Error('enough'));
  await expect(storage.write('files/md5/ab/x', upload('abc'), { signal })).rejects.toThrow('enough');
  expect(await storage.stat('files/md5/ab/x')).toBeNull();
  expect(readdirSync(join(dir, 'remote/retrain-staging'))).toEqual([]);
});

test.each([
  [401, 'REMOTE_REFUSED', 'check user and password of the remote'],
  [403, 'REMOTE_REFUSED', 'check user and password of the remote'],
  [405, 'REMOTE_REFUSED', 'check the url'],
  [429, 'REMOTE_UNREACHABLE', '429 no luck'],
  [503, 'REMOTE_UNREACHABLE', '503 no luck'],
] as const)('a web server that answers %i means %s', async (status, code, message) => {
  const storage = new HttpStorage({ url: await server.start() });
  server.fault = () => status;
  await expect(storage.read('x')).rejects.toMatchObject({
    code,
    message: expect.stringContaining(message) as string,
  });
  await expect(storage.stat('x')).rejects.toMatchObject({ code });
  await expect(storage.write('x', upload('abc'))).rejects.toMatchObject({ code });
  storage.close();
});

test('a web server that is not there is unreachable, and its name holds no password', async () => {
  const storage = new HttpStorage({ url: 'http://user:s3cret@127.0.0.1:9/x' });
  const failure = await storage.stat('y').catch((error: Error) => error);
  expect(failure).toMatchObject({ code: 'REMOTE_UNREACHABLE' });
  expect(JSON.stringify(failure, ['message', 'code', 'stack'])).not.toContain('s3cret');
  storage.close();
});

withMinio('S3 refuses wrong credentials and says what to check', async () => {
  const storage = s3('', { credentials: { accessKeyId: 'retrain-test', secretAccessKey: 'wrong-secret' } });
  const refused: unknown = expect.objectContaining({
    code: 'REMOTE_REFUSED',
    message: expect.stringContaining('check the credentials') as string,
  });
  await expect(storage.read('x')).rejects.toEqual(refused);
  await expect(storage.write('x', upload('abc'))).rejects.toEqual(refused);
  storage.close();
});

withMinio('S3 that is not there is unreachable', async () => {
  const storage = new S3Storage({ ...minio!, endpoint: 'http://127.0.0.1:9', prefix: '' });
  await expect(storage.read('x')).rejects.toMatchObject({ code: 'REMOTE_UNREACHABLE' });
  storage.close();
});

withMinio(
  'a big object goes to S3 in parts, and an interrupted upload is continued',
  async () => {
    const MIB = 1 << 20;
    const bytes = Buffer.alloc(40 * MIB, 'all parts differ in where they start');
    const storage = s3('big', { partsFromBytes: 32 * MIB });
    const place = { Bucket: minio!.bucket, Key: 'big/files/md5/aa/big' };
    const { UploadId } = await minio!.client.send(new CreateMultipartUploadCommand(place));
    await minio!.client.send(
      new UploadPartCommand({ ...place, UploadId, PartNumber: 2, Body: bytes.subarray(16 * MIB, 32 * MIB) }),
    );
    await minio!.client.send(
      new UploadPartCommand({ ...place, UploadId, PartNumber: 1, Body: Buffer.alloc(16 * MIB, 'stale') }),
    );
    const before = (await minio!.client.send(new ListPartsCommand({ ...place, UploadId }))).Parts!;
    await storage.write('files/md5/aa/big', upload(bytes));
    expect(before).toHaveLength(2);
    expect((await buffer((await storage.read('files/md5/aa/big'))!)).equals(bytes)).toBe(true);
    const left = await minio!.client.send(
      new ListMultipartUploadsCommand({ Bucket: minio!.bucket, Prefix: place.Key }),
    );
    expect(left.Uploads ?? []).toEqual([]);

    await expect(
      storage.write('files/md5/bb/big', { ...upload(bytes), md5: '0'.repeat(32) }),
    ).rejects.toMatchObject({
      code: 'ARTIFACT_DAMAGED',
    });
    expect(await storage.stat('files/md5/bb/big')).toBeNull();
    storage.close();
  },
  60_000,
);
