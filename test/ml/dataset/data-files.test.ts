import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { dataFiles, firstDataFile } from '../../../ml/dataset/data-files';

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'data-files-'));
});
afterEach(() => rmSync(dir, { recursive: true }));

const write = (name: string) => {
  mkdirSync(dirname(join(dir, name)), { recursive: true });
  writeFileSync(join(dir, name), 'a,y\n1,x\n');
};

test.each([
  [['b.csv', 'a.csv']],
  // "/" comes after "-" and before "0".
  [['a/x.csv', 'a-b/y.csv', 'a0.csv']],
  [['a/x.csv', 'a.csv']],
  [['.hidden.csv', '.folder/in.csv', 'b.csv']],
  [['\u{1f600}.csv', '\uffee.csv', 'z/z/z.csv']],
])('the first file is the first of all: %j', async (names) => {
  for (const name of names) write(name);
  mkdirSync(join(dir, '!empty'));
  const all = await dataFiles(dir, 'data');
  expect(await firstDataFile(dir, 'data')).toEqual(all[0]);
  expect(await firstDataFile(dir, 'data', '**/*.csv')).toEqual((await dataFiles(dir, 'data', '**/*.csv'))[0]);
});

test('a file is its own first; an empty directory and none at all are refused', async () => {
  write('a.csv');
  const file = join(dir, 'a.csv');
  expect([await firstDataFile(file, 'a.csv')]).toEqual(await dataFiles(file, 'a.csv'));
  rmSync(file);
  await expect(firstDataFile(dir, 'data')).rejects.toThrow('data: the directory holds no file');
  await expect(firstDataFile(file, 'a.csv')).rejects.toThrow('a.csv: there is no such file');
});
