import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { loadParams } from '../../../pipeline/run/load-params';
import { updateParams } from '../../../pipeline/run/update-params';

const FILE = `# Everything a run depends on.
model: iris # registered under this name
experiment: iris
data:
  path: data/iris.csv
  target: species

train:
  # More trees, slower.
  n_estimators: 100 # was 50
  seed: 42
`;

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(path.join(tmpdir(), 'params-'));
});
afterEach(() => rmSync(dir, { recursive: true }));

const load = (text: string) => {
  writeFileSync(path.join(dir, 'params.yaml'), text);
  return loadParams(dir, 'params.yaml');
};

test('only what differs is written; comments, order and defaults stay', async () => {
  const wanted = await load(FILE.replace('100', '200').replace('seed: 42', 'seed: 42\n  max_depth: 3'));
  const { text, changes } = updateParams(FILE, wanted, 'params.yaml');
  expect(text).toBe(FILE.replace('100', '200').replace('seed: 42', 'seed: 42\n  max_depth: 3'));
  expect(changes).toEqual([
    { key: 'train.n_estimators', from: 100, to: 200 },
    { key: 'train.max_depth', from: null, to: 3 },
  ]);
  expect(updateParams(FILE, await load(FILE), 'params.yaml')).toEqual({ text: FILE, changes: [] });
});

test('whatever two valid files say, the one becomes the other', async () => {
  const other = await load(
    `model: other\nexperiment: x\ntask: regression\ndata: {path: d.parquet, target: y}\npreprocess:\n  drop: [a, b]\n  rename: {c: d}\ntrain: {n_estimators: 7}\nnotify: {on: [failure]}\n`,
  );
  const first = await load(FILE);
  for (const [from, to] of [
    [FILE, other],
    [updateParams(FILE, other, 'params.yaml').text, first],
    [FILE.replace(/train:[^]*/, ''), other],
  ] as const) {
    expect(await load(updateParams(from, to, 'params.yaml').text)).toEqual(to);
  }
});

test('without a file, one is made', async () => {
  const wanted = await load(FILE);
  expect(await load(updateParams(null, wanted, 'params.yaml').text)).toEqual(wanted);
});
