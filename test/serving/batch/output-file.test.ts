import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { type BatchSpec } from '../../../contracts/batch-prediction';
import {
  besideOf,
  discard,
  discardOld,
  knownOutput,
  outputInsideProject,
  place,
} from '../../../serving/batch/output-file';

let project: string;
beforeEach(() => {
  project = mkdtempSync(path.join(tmpdir(), 'batch-output-'));
  mkdirSync(path.join(project, 'out'));
});
afterEach(() => rmSync(project, { recursive: true, force: true }));

const SPEC: BatchSpec = {
  data: 'data/new.csv',
  out: 'out/p.parquet',
  dataHash: 'a'.repeat(64),
  dataSizeBytes: 10,
  model: 'iris',
  modelVersion: '3',
  modelRunId: 'r',
  batchKey: 'k'.repeat(64),
};

const resolve = (out: string): Promise<string> => outputInsideProject(project, out, 'batchPrediction');

async function placed(text: string, key = SPEC.batchKey): Promise<string> {
  const file = await resolve('out/p.parquet');
  const beside = besideOf(file, 'x-1');
  writeFileSync(beside, text);
  await place({ ...SPEC, batchKey: key }, beside, file, 7);
  return file;
}

test('what was placed is known by its key, and by no other', async () => {
  const file = await placed('predictions');
  expect(await knownOutput(file, SPEC.batchKey)).toMatchObject({ rows: 7, sizeBytes: 11, reused: true });
  expect(await knownOutput(file, 'another')).toBeNull();
  expect(existsSync(besideOf(file, 'x-1'))).toBe(false);
});

test('a file that was changed, or is gone, is not known', async () => {
  const file = await placed('predictions');
  writeFileSync(file, 'something else');
  expect(await knownOutput(file, SPEC.batchKey)).toBeNull();
  rmSync(file);
  expect(await knownOutput(file, SPEC.batchKey)).toBeNull();
  expect(await resolve('out/p.parquet')).toBe(file);
});

test('another key takes the place of the last one', async () => {
  await placed('yesterday');
  const file = await placed('today', 'b');
  expect(readFileSync(file, 'utf8')).toBe('today');
  expect(await knownOutput(file, 'b')).toMatchObject({ rows: 7 });
});

test('a worker that died between the note and the file, or after it, blocks nobody', async () => {
  const file = await placed('first');
  const note = `${file}.lineage.json`;
  const died = JSON.stringify({ ...(JSON.parse(readFileSync(note, 'utf8')) as object), output: null });
  writeFileSync(note, died);
  expect(await resolve('out/p.parquet')).toBe(file);
  expect(await knownOutput(file, SPEC.batchKey)).toBeNull();
  rmSync(file);
  expect(await resolve('out/p.parquet')).toBe(file);
});

test('nothing is replaced that no batch prediction made', async () => {
  writeFileSync(path.join(project, 'out', 'train.csv'), 'mine');
  await expect(resolve('out/train.csv')).rejects.toThrow('is there, and no batch prediction made it');
  writeFileSync(path.join(project, 'out', 'train.csv.lineage.json'), '{"by": "a stranger"}');
  await expect(resolve('out/train.csv')).rejects.toThrow('no batch prediction made it');
  mkdirSync(path.join(project, 'out', 'folder.csv'));
  await expect(resolve('out/folder.csv')).rejects.toThrow('no batch prediction made it');
});

test.each([
  ['../outside.csv', 'must stay inside the project'],
  ['/etc/cron.d/x.csv', 'must stay inside the project'],
  ['out/script.sh', 'end it with .parquet, .csv, .jsonl'],
  ['.git/hooks.csv', 'lies in .git'],
  ['.retrain/x.parquet', 'lies in .retrain'],
  ['nowhere/x.parquet', 'a folder that is not there'],
  ['params.yaml', 'end it with'],
])('%s is refused', async (out, why) => {
  await expect(resolve(out)).rejects.toThrow(why);
});

test('a link leads nowhere: neither the folder nor the file', async () => {
  const elsewhere = mkdtempSync(path.join(tmpdir(), 'batch-elsewhere-'));
  symlinkSync(elsewhere, path.join(project, 'link'));
  await expect(resolve('link/p.csv')).rejects.toThrow('is a link out of the project');
  symlinkSync(path.join(elsewhere, 'x.csv'), path.join(project, 'out', 'p.csv'));
  await expect(resolve('out/p.csv')).rejects.toThrow('no batch prediction made it');
  rmSync(elsewhere, { recursive: true });
});

test('what attempts left is cleared up: at once by the next attempt, after a day by another night’s', async () => {
  const file = await resolve('out/p.csv');
  const names = ['.p.01a20134-2-1.csv', '.p.01a20134-2-1.csv.77.part', '.p.01a20134-2-11.csv.77.part'];
  const others = ['.p.mine.csv', '.pp.01a20134-2-1.csv', 'p.01a20134-2-1.csv', '.p.01a20134-2-1.txt'];
  const folder = path.join(project, 'out');
  for (const name of [...names, ...others]) writeFileSync(path.join(folder, name), '1');
  await discard(besideOf(file, '01a20134-2-1'));
  expect(readdirSync(folder).sort()).toEqual([names[2], ...others].sort());
  await discardOld(file, Date.now());
  expect(readdirSync(folder)).toHaveLength(5);
  await discardOld(file, Date.now() + 26 * 3600_000);
  expect(readdirSync(folder).sort()).toEqual(others.sort());
});
