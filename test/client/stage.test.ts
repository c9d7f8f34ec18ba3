import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { appendFileSync, existsSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { dvcAside, dvcInit, judged } from '../integrations/dvc/real-dvc';
import { CLI, Workbench } from './workbench';

jest.setTimeout(120_000);

interface StageReport {
  stage: string;
  key: string;
  reused: boolean;
  outputs: { name: string; md5: string; sha256: string; path: string | null }[];
  metrics: Record<string, number>;
}

let bench: Workbench;
beforeEach(() => {
  bench = new Workbench();
});
afterEach(() => bench.remove());

const stage = (name: string, ...args: string[]) => bench.json<StageReport>('stage', name, ...args);

test('the stages read and write the paths of the workspace, with neither Temporal nor MLflow', async () => {
  const [preprocess, train, evaluate] = [
    await stage('preprocess'),
    await stage('train'),
    await stage('evaluate'),
  ];
  expect(preprocess).toMatchObject({ reused: false, metrics: { rows_train: 120, rows_test: 30 } });
  expect(train.outputs.map(({ path }) => path)).toEqual([
    'models/iris/model.onnx',
    'models/iris/training.json',
  ]);
  expect(existsSync(bench.path('models/iris/model.onnx'))).toBe(true);
  expect(JSON.parse(bench.text('metrics/metrics.json'))).toEqual(evaluate.metrics);
  expect(evaluate.metrics['accuracy']).toBeGreaterThan(0.85);
  expect(readdirSync(bench.path('.retrain/stages'))).toEqual([]);
});

test('a stage is run again only when its params changed, its result is gone, or by force', async () => {
  const preprocessed = await stage('preprocess');
  const first = await stage('train');
  bench.writeParams({ n_estimators: 6 });
  expect((await stage('train')).reused).toBe(false);
  bench.writeParams();
  rmSync(bench.path('models'), { recursive: true });
  expect(await stage('train')).toMatchObject({ reused: true, outputs: first.outputs });
  expect(existsSync(bench.path('models/iris/model.onnx'))).toBe(true);
  expect(await stage('train', '--force')).toMatchObject({ reused: false, outputs: first.outputs });
  const { md5 } = preprocessed.outputs[0]!;
  rmSync(bench.path(`.dvc/cache/files/md5/${md5.slice(0, 2)}/${md5.slice(2)}`));
  expect(await stage('preprocess')).toMatchObject({ reused: false, outputs: preprocessed.outputs });
});

test('what is wrong is said in one line, with the exit code of its kind, and leaves no folder', async () => {
  const early = await bench.cli(['stage', 'train']);
  expect(early.stderr).toMatch(
    /^error: prepared\/iris\/train\.parquet, an input of train, is not there; run/,
  );
  expect(early.code).toBe(2);
  expect((await bench.cli(['stage', 'register'])).stderr).toContain(
    'stage takes one of preprocess, train, evaluate, got register',
  );
  appendFileSync(bench.path('data/iris.csv'), '1,2,3\n');
  const bad = await bench.cli(['stage', 'preprocess', '--json']);
  expect(bad.code).toBe(2);
  expect(JSON.parse(bad.stdout)).toMatchObject({ error: { code: 'DATA_INVALID' } });
  expect(bad.stderr.match(/DATA_INVALID|error:/g)).toHaveLength(1);
  expect(readdirSync(bench.path('.retrain/stages'))).toEqual([]);
});

test('an interrupted stage ends at once, with exit code 5, and leaves the workspace as it was', async () => {
  await stage('preprocess');
  bench.writeParams({ n_estimators: 10_000 });
  const child = spawn(process.execPath, [CLI, 'stage', 'train'], { cwd: bench.dir, stdio: 'pipe' });
  let said = '';
  child.stderr.on('data', (chunk: Buffer) => {
    if (said === '') child.kill('SIGTERM');
    said += chunk.toString();
  });
  const [code] = (await once(child, 'close')) as [number | null];
  expect({ code, said }).toEqual({
    code: 5,
    said: expect.stringContaining('stage train was interrupted') as string,
  });
  expect(existsSync(bench.path('models'))).toBe(false);
  expect(readdirSync(bench.path('.retrain/stages'))).toEqual([]);
});

judged('dvc repro alone runs the stages, and takes up what we ran', async () => {
  dvcInit(bench.dir);
  await bench.writePipeline();
  expect(await dvcAside(bench.dir, 'repro')).toContain("Running stage 'evaluate'");
  expect(await dvcAside(bench.dir, 'status')).toContain('Data and pipelines are up to date.');
  // What dvc made, we reuse: the stages ran through our own cache.
  expect((await stage('train')).reused).toBe(true);
  bench.writeParams({ n_estimators: 6 });
  expect((await stage('train')).reused).toBe(false);
  // Only what changed is run, and our result is known.
  const again = await dvcAside(bench.dir, 'repro');
  expect(again).toContain("Stage 'preprocess' didn't change, skipping");
  expect(again).toContain('train: reused');
  expect(again).toContain('evaluate: done');
  expect(await dvcAside(bench.dir, 'status')).toContain('Data and pipelines are up to date.');
  // A stage that fails, fails dvc repro.
  writeFileSync(bench.path('data/iris.csv'), 'species\nx\n');
  await expect(dvcAside(bench.dir, 'repro')).rejects.toThrow(/failed to reproduce 'preprocess'/);
});
