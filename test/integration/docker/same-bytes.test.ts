import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { InProcessExecutor } from '../../../stages/in-process';
import { CompiledStages, IRIS, PREPROCESS, StageFolder } from '../../stages/stage-folder';
import { ROOT } from '../pipeline/test-project';
import { describeWithDocker } from './engine';
import { buildImage, STAGE_IMAGE } from './images';
import { Workbench } from './workbench';

jest.setTimeout(600_000);

const PENGUINS = path.join(ROOT, 'examples/penguins/data/penguins.csv');

/** Text columns, missing values, a filter: everything that preprocess does. */
const PENGUIN_PARAMS = {
  data: { path: 'penguins.csv', target: 'body_mass_g' },
  preprocess: {
    rename: { 'Body Mass (g)': 'body_mass_g' },
    filter: '"Body Mass (g)" IS NOT NULL',
    encode: { Species: 'one-hot', Island: 'one-hot', Sex: 'one-hot' },
  },
  task: 'regression',
};

/** A table that is joined. */
const JOINED_PARAMS = {
  ...PREPROCESS,
  data: { ...PREPROCESS.data, extra: { origin: 'origin.csv' } },
  preprocess: { sql: 'SELECT data.*, height FROM data JOIN origin USING (species) ORDER BY ALL' },
};
const ORIGIN = 'species,height\nsetosa,1\nversicolor,2\nvirginica,3\n';

describeWithDocker('the same stage in process and in a container', () => {
  const bench = new Workbench();
  const folders: StageFolder[] = [];
  let compiled: CompiledStages;
  let inProcess: InProcessExecutor;

  beforeAll(async () => {
    buildImage(STAGE_IMAGE);
    compiled = new CompiledStages();
    inProcess = new InProcessExecutor({ threadEntry: compiled.threadEntry, threads: 2 });
    await inProcess.warmUp();
  });

  afterAll(async () => {
    for (const made of folders) made.remove();
    await Promise.all([inProcess.close(), bench.close()]);
    compiled.remove();
  });

  /** Runs a stage both ways in folders of the same content. @returns the folder of the one in process */
  async function bothWays(
    stage: string,
    lay: () => StageFolder,
    files: readonly string[],
  ): Promise<StageFolder> {
    const [here, there] = [lay(), lay()];
    folders.push(here, there);
    await Promise.all([
      inProcess.run(stage, here.dir, { signal: new AbortController().signal, onProgress: () => undefined }),
      inContainer(stage, there),
    ]);
    const hashes = hashesOf(here);
    expect(Object.keys(hashes)).toEqual([...files, 'metrics.json'].sort());
    expect(hashesOf(there)).toEqual(hashes);
    return here;
  }

  async function inContainer(stage: string, { dir }: StageFolder): Promise<void> {
    const run = await bench.describe('', { image: STAGE_IMAGE });
    await bench.executor().run({
      ...run,
      ...{ stage, dir, options: { image: STAGE_IMAGE, memory: '512m' } },
      prepare: async () => Promise.resolve(),
    });
  }

  const train = (done: StageFolder, params: object, task: string): StageFolder =>
    new StageFolder({ train: params, task })
      .take('train.parquet', done.out('train.parquet'))
      .take('schema.json', done.out('schema.json'));

  const evaluate = (done: StageFolder, trained: StageFolder, task: string): StageFolder =>
    new StageFolder({ evaluate: {}, task })
      .take('test.parquet', done.out('test.parquet'))
      .take('schema.json', done.out('schema.json'))
      .take('model.onnx', trained.out('model.onnx'));

  test.each([
    ['iris, classes', IRIS, PREPROCESS, {}],
    ['penguins, numbers', PENGUINS, PENGUIN_PARAMS, {}],
    ['iris, joined', IRIS, JOINED_PARAMS, { 'data.origin': ORIGIN }],
  ])('writes the same files, byte for byte: %s', async (_what, table, params, extra) => {
    const { task } = params;
    const tables = [
      'train.parquet',
      'test.parquet',
      'schema.json',
      'profile.json',
      'seen-rows.bin',
      'test-keys.parquet',
      'train-times.parquet',
    ];
    const done = await bothWays(
      'preprocess',
      () => new StageFolder(params, extra).take('data', table),
      tables,
    );
    const trained = await bothWays('train', () => train(done, { n_estimators: 10 }, task), [
      'model.onnx',
      'training.json',
    ]);
    await bothWays('evaluate', () => evaluate(done, trained, task), ['evaluation.json']);
  });

  test.each([
    { engine: 'ml-random-forest', n_estimators: 5 },
    { algorithm: 'extra-trees', n_estimators: 5 },
    { algorithm: 'gradient-boosting', n_estimators: 5 },
    { algorithm: 'logistic-regression' },
  ])('trains the same model: %j', async (params) => {
    const done = new StageFolder(PREPROCESS).take('data', IRIS);
    folders.push(done);
    await inProcess.run('preprocess', done.dir, {
      signal: new AbortController().signal,
      onProgress: () => undefined,
    });
    await bothWays('train', () => train(done, params, 'classification'), ['model.onnx', 'training.json']);
  });
});

/** SHA-256 of each file in out/. */
function hashesOf({ dir }: StageFolder): Record<string, string> {
  const out = path.join(dir, 'out');
  return Object.fromEntries(
    readdirSync(out)
      .sort()
      .map((name) => [
        name,
        createHash('sha256')
          .update(readFileSync(path.join(out, name)))
          .digest('hex'),
      ]),
  );
}
