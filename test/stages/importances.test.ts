import fc from 'fast-check';
import { readFileSync } from 'node:fs';
import { Evaluation } from '../../contracts/stage';
import { planShuffling } from '../../stages/importances';
import { InProcessExecutor } from '../../stages/in-process';
import { CompiledStages, IRIS, StageFolder } from './stage-folder';

let compiled: CompiledStages;
let executor: InProcessExecutor;
const folders: StageFolder[] = [];

beforeAll(() => {
  compiled = new CompiledStages();
  executor = new InProcessExecutor({ threadEntry: compiled.threadEntry, threads: 2 });
});
afterAll(async () => {
  await executor.close();
  compiled.remove();
  for (const made of folders) made.remove();
});

async function importancesOf(
  data: string,
  target: string,
  { preprocess = {}, train = {}, task = 'classification' } = {},
): Promise<NonNullable<Evaluation['importances']>> {
  const run = async (stage: string, folder: StageFolder): Promise<StageFolder> => {
    folders.push(folder);
    await executor.run(stage, folder.dir);
    return folder;
  };
  const params = { data: { path: 'd.csv', target }, preprocess, task };
  const tables = await run('preprocess', new StageFolder(params, { data }));
  const taken = (folder: StageFolder, names: readonly string[]): StageFolder =>
    names.reduce((into, name) => into.take(name, tables.out(name)), folder);
  const trained = await run(
    'train',
    taken(new StageFolder({ train, task }), ['train.parquet', 'schema.json']),
  );
  const last = taken(new StageFolder({ evaluate: {}, task }), ['test.parquet', 'schema.json']);
  const scored = await run('evaluate', last.take('model.onnx', trained.out('model.onnx')));
  const { importances } = Evaluation.parse(scored.json('evaluation.json'));
  if (importances === undefined) throw new Error('there are no importances');
  return importances;
}

test.each(['histogram', 'logistic-regression'])(
  'on iris the petals matter, its sepals hardly, whoever asks the model: %s',
  async (what) => {
    const train = what === 'histogram' ? {} : { algorithm: what };
    const found = await importancesOf(readFileSync(IRIS, 'utf8'), 'species', { train });
    expect(found).toMatchObject({ metric: 'balanced_accuracy', rows: 30, repeats: 5, leftOut: 0 });
    const of = (name: string): number => found.columns.find(({ column }) => column === name)?.mean ?? NaN;
    // scikit-learn 1.9.1's permutation_importance of a random forest: 0.003, -0.001, 0.336, 0.157.
    expect(Math.abs(of('sepal_width'))).toBeLessThan(0.1);
    expect(of('petal_length') + of('petal_width')).toBeGreaterThan(0.3);
    for (const { mean, interval } of found.columns) {
      if (interval === undefined) continue;
      expect(interval[0]).toBeLessThanOrEqual(mean + 1e-12);
      expect(interval[1]).toBeGreaterThanOrEqual(mean - 1e-12);
    }
  },
);

test('an encoded text is shuffled as one, and a column that no tree asks for is worth nothing', async () => {
  const cities = ['Oslo', 'Bonn', 'Rome', 'Riga'];
  const lines = Array.from({ length: 400 }, (_, row) => {
    const city = (row * 7) % 4;
    return `${cities[city]},${(row * 7919) % 101},5,${10 * city + ((row * 31) % 10) / 10}`;
  });
  const found = await importancesOf(`city,noise,same,y\n${lines.join('\n')}\n`, 'y', {
    ...{ preprocess: { encode: { city: 'one-hot' } }, task: 'regression' },
  });
  expect(found.metric).toBe('r2');
  const [first] = found.columns;
  // All that is known comes from the city: shuffled, the squared error is twice the variance.
  expect(first?.column).toBe('city');
  expect(first?.mean).toBeGreaterThan(1.6);
  expect(first?.mean).toBeLessThan(2.4);
  expect(found.columns).toContainEqual({ column: 'same', mean: 0 });
});

test('the work is bounded, whatever the table', () => {
  const size = (max: number): fc.Arbitrary<number> => fc.integer({ min: 1, max });
  fc.assert(
    fc.property(size(1_000_000), size(5000), size(2000), (rows, columns, cost) => {
      const plan = planShuffling(rows, columns, cost);
      expect(plan.rows).toBeGreaterThanOrEqual(Math.min(rows, 100));
      expect(plan.rows).toBeLessThanOrEqual(Math.min(rows, 2000));
      expect(plan.columns).toBeLessThanOrEqual(columns);
      expect(plan.repeats).toBeGreaterThanOrEqual(1);
      const trees = plan.rows * plan.columns * plan.repeats * cost;
      // One column of a hundred rows is shuffled in any case.
      expect(trees).toBeLessThanOrEqual(Math.max(500_000, 100 * cost, (rows * cost) / 8));
    }),
    { numRuns: 500 },
  );
  expect(planShuffling(30, 4, 100)).toEqual({ rows: 30, columns: 4, repeats: 5 });
});
