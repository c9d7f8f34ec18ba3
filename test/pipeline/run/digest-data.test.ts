import { mkdtempSync, mkdirSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { digestData } from '../../../pipeline/run/digest-data';

describe('hashes of the data', () => {
  const project = mkdtempSync(path.join(tmpdir(), 'retrain-digest-'));
  afterAll(() => rmSync(project, { recursive: true, force: true }));

  test('of a file are its SHA-256 and MD5', async () => {
    const file = path.join(project, 'a.txt');
    writeFileSync(file, 'abc');
    expect(await digestData(project, file)).toEqual({
      // FIPS 180-2, appendix B.1, and RFC 1321, appendix A.5.
      sha256: 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad',
      md5: '900150983cd24fb0d6963f7d28e17f72',
      sizeBytes: 3,
    });
  });

  test('of a directory change with a file’s content and with its name', async () => {
    const dir = path.join(project, 'data');
    mkdirSync(dir);
    writeFileSync(path.join(dir, 'one.csv'), 'a,b\n1,x\n');
    const first = await digestData(project, dir);
    expect(first.md5).toMatch(/^[0-9a-f]{32}\.dir$/);
    writeFileSync(path.join(dir, 'one.csv'), 'a,b\n2,x\n');
    const other = await digestData(project, dir);
    writeFileSync(path.join(dir, 'two.csv'), 'a,b\n3,x\n');
    const third = await digestData(project, dir);
    expect(new Set([first.sha256, other.sha256, third.sha256]).size).toBe(3);
  });

  test('of a big file are found again without reading it, until it is written to', async () => {
    const file = path.join(project, 'big.csv');
    const long = new Date(Date.now() - 60_000);
    writeFileSync(file, Buffer.alloc(9 << 20, 'a'));
    utimesSync(file, long, long);
    const first = await digestData(project, file);
    expect(await digestData(project, file)).toMatchObject(first);
    writeFileSync(file, Buffer.alloc(9 << 20, 'b'));
    expect((await digestData(project, file)).sha256).not.toBe(first.sha256);
  });

  test('of nothing are an error that says what to correct', async () => {
    await expect(digestData(project, path.join(project, 'none.csv'))).rejects.toThrow('correct data.path');
  });
});
