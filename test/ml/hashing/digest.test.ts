import { appendFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { digestBytes } from '../../../ml/hashing/digest';
import { digestFile } from '../../../ml/hashing/digest-file';

// RFC 1321 (MD5) and FIPS 180-2 (SHA-256).
const EMPTY = {
  sha256: 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855',
  md5: 'd41d8cd98f00b204e9800998ecf8427e',
  sizeBytes: 0,
};
const ABC = {
  sha256: 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad',
  md5: '900150983cd24fb0d6963f7d28e17f72',
  sizeBytes: 3,
};
const MILLION_A = {
  sha256: 'cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0',
  md5: '7707d6ae4e027c70eea2a935c2296f21',
  sizeBytes: 1_000_000,
};
const MIB = 1 << 20;

let dir: string;
beforeEach(() => (dir = mkdtempSync(join(tmpdir(), 'digest-'))));
afterEach(() => rmSync(dir, { recursive: true }));

const file = (content: string | Uint8Array) => {
  const path = join(dir, 'file');
  writeFileSync(path, content);
  return path;
};

test.each([
  ['', EMPTY],
  ['abc', ABC],
  ['a'.repeat(1_000_000), MILLION_A],
])('bytes, files and threads agree with the published digests (%#)', async (content, expected) => {
  expect(digestBytes(content)).toEqual(expected);
  expect(await digestFile(file(content))).toEqual(expected);
  expect(await digestFile(file(content), { threadsFromBytes: 0 })).toEqual(expected);
});

test.each([MIB - 1, MIB, MIB + 1, 8 * MIB, 9 * MIB, 20 * MIB + 7])(
  'a file of %i bytes has the same digests inline and on threads, across the edges of their blocks',
  async (size) => {
    const content = Buffer.alloc(size, 'edges of blocks');
    expect(await digestFile(file(content), { threadsFromBytes: 0 })).toEqual(digestBytes(content));
    expect(await digestFile(file(content))).toEqual(digestBytes(content));
  },
);

test('a file that does not exist, and a directory, are refused by name', async () => {
  await expect(digestFile(join(dir, 'none.csv'))).rejects.toMatchObject({ code: 'DATA_NOT_FOUND' });
  await expect(digestFile(join(dir, 'none.csv'))).rejects.toThrow('none.csv: no such file');
  await expect(digestFile(dir)).rejects.toThrow('is a directory; expected a regular file');
});

test.each([{ threadsFromBytes: 0 }, {}])(
  'a file that grows while it is read is refused (%j)',
  async (options) => {
    const path = file(Buffer.alloc(64 * MIB));
    const digest = digestFile(path, options);
    const grow = setInterval(() => appendFileSync(path, 'x'), 1);
    try {
      await expect(digest).rejects.toMatchObject({ code: 'DATA_CHANGED' });
    } finally {
      clearInterval(grow);
    }
  },
);

test.each([{ threadsFromBytes: 0 }, {}])(
  'an abort ends the work with the reason of the signal (%j)',
  async (options) => {
    const path = file(Buffer.alloc(64 * MIB));
    const controller = new AbortController();
    const digest = digestFile(path, { ...options, signal: controller.signal });
    setTimeout(() => controller.abort(new Error('enough')), 5);
    await expect(digest).rejects.toThrow('enough');
    await expect(digestFile(path, { ...options, signal: controller.signal })).rejects.toThrow('enough');
  },
);
