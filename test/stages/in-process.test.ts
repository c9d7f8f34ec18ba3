import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { type RetrainError } from '../../contracts/errors';
import { Evaluation, type StageProgress, TableSchema } from '../../contracts/stage';
import { TrainParams } from '../../contracts/train-params';
import { readParquet } from '../../ml/dataset/parquet/read-parquet';
import { labelledMatrix, readStoredTable } from '../../ml/dataset/table-artifact';
import { encodeOnnx } from '../../ml/onnx/encode';
import { histogramForest } from '../../ml/trainer/histogram-forest';
import { InProcessExecutor } from '../../stages/in-process';
import { CompiledStages, IRIS, PREPROCESS, StageFolder } from './stage-folder';

const OUTPUTS: Record<string, string[]> = {
  preprocess: ['train.parquet', 'test.parquet', 'schema.json', 'profile.json'],
  train: ['model.onnx', 'training.json'],
  evaluate: ['evaluation.json'],
};

let compiled: CompiledStages;
let executor: InProcessExecutor;
const folders: StageFolder[] = [];

const folder = (...args: ConstructorParameters<typeof StageFolder>): StageFolder => {
  const made = new StageFolder(...args);
  folders.push(made);
  return made;
};

const preprocessFolder = (changes: object = {}): StageFolder =>
  folder({ ...PREPROCESS, preprocess: changes }).take('data', IRIS);

const trainFolder = (done: StageFolder, trees = 10): StageFolder =>
  folder({ train: { n_estimators: trees }, task: 'classification' })
    .take('train.parquet', done.out('train.parquet'))
    .take('schema.json', done.out('schema.json'));

const evaluateFolder = (done: StageFolder, trained: StageFolder): StageFolder =>
  folder({ evaluate: {}, task: 'classification' })
    .take('test.parquet', done.out('test.parquet'))
    .take('schema.json', done.out('schema.json'))
    .take('model.onnx', trained.out('model.onnx'));

beforeAll(async () => {
  compiled = new CompiledStages();
  executor = new InProcessExecutor({ threadEntry: compiled.threadEntry, threads: 2 });
  await executor.warmUp();
});

afterAll(async () => {
  await executor.close();
  compiled.remove();
});

afterEach(() => {
  for (const made of folders.splice(0)) made.remove();
});

/** preprocess, train, evaluate one after the other, each by `run`. */
async function wholeRun(
  run: (stage: string, stageFolder: StageFolder) => Promise<unknown>,
): Promise<Record<string, StageFolder>> {
  const done = preprocessFolder();
  await run('preprocess', done);
  const trained = trainFolder(done);
  await run('train', trained);
  const evaluated = evaluateFolder(done, trained).take('champion.onnx', trained.out('model.onnx'));
  await run('evaluate', evaluated);
  return { preprocess: done, train: trained, evaluate: evaluated };
}

/** A model with the one input `[N, 4]`, features in the given order, and its description. */
async function denseModel(done: StageFolder, order: readonly string[]): Promise<StageFolder> {
  const schema = TableSchema.parse(done.json('schema.json'));
  const { inputs: _, ...dense } = schema;
  const stored = readStoredTable(done.out('train.parquet'), schema);
  const columns = order.flatMap((name) => stored.columns.filter((column) => column.name === name));
  const table = labelledMatrix({ ...stored, columns }, { ...dense, features: [...order] });
  const { model } = await histogramForest.train(table, TrainParams.parse({ n_estimators: 10 }));
  const made = folder({});
  const names = { featureNames: order, classLabels: schema.classes, modelName: 'dense' };
  writeFileSync(made.out('model.onnx'), encodeOnnx(model, names));
  writeFileSync(made.out('description.json'), JSON.stringify({ features: order, classes: schema.classes }));
  return made;
}

const inThread = (stage: string, { dir }: StageFolder): Promise<unknown> => executor.run(stage, dir);

describe('the stages on iris', () => {
  it('split it, train on it and score candidate and champion on the held-out rows', async () => {
    const { preprocess, evaluate } = await wholeRun(inThread);
    const schema = TableSchema.parse(preprocess?.json('schema.json'));
    expect(schema).toMatchObject({
      features: ['sepal_length', 'sepal_width', 'petal_length', 'petal_width'],
      target: 'species',
      classes: ['setosa', 'versicolor', 'virginica'],
      rows: { train: 120, test: 30 },
    });
    expect(schema.example).toHaveLength(5);
    expect(schema.rawExample?.[0]).toEqual(schema.example[0]?.map((value) => Number(value.toFixed(1))));
    const evaluation = Evaluation.parse(evaluate?.json('evaluation.json'));
    expect(evaluation.candidate.metrics['accuracy']).toBeGreaterThan(0.85);
    // The champion is told by the difference, whose interval is in the comparison.
    expect(evaluation.champion).toEqual({ ...evaluation.candidate, intervals: undefined });
    expect(evaluation.comparison?.differences['accuracy']?.value).toBe(0);
    expect(evaluation.candidate.perClass.map(({ support }) => support)).toEqual([10, 10, 10]);
  });

  it('score what any model must be better than beside it', async () => {
    const { evaluate } = await wholeRun(inThread);
    const { baselines = [] } = Evaluation.parse(evaluate?.json('evaluation.json'));
    expect(baselines.map(({ algorithm }) => algorithm)).toEqual(['majority', 'logistic-regression']);
    const [majority, logistic] = baselines.map(({ scores }) => scores.metrics);
    // A third of the rows each: one class is right for a third, and a third is what it gives every class.
    expect(majority).toMatchObject({ accuracy: 10 / 30, roc_auc: 0.5 });
    expect(majority?.['log_loss']).toBeCloseTo(Math.log(3), 6);
    expect(logistic?.['accuracy']).toBeGreaterThan(0.85);
    expect(logistic?.['log_loss']).toBeLessThan(0.4);
  });

  it('leave every row of the data as it is written there', async () => {
    const done = preprocessFolder();
    await inThread('preprocess', done);
    const rowsOf = (name: string): string[] => {
      const columns = readParquet(done.out(name));
      const [first] = columns;
      return Array.from({ length: first?.values.length ?? 0 }, (_, row) =>
        columns
          .map(({ values }) => (typeof values[row] === 'number' ? values[row].toFixed(1) : values[row]))
          .join(','),
      );
    };
    expect([...rowsOf('train.parquet'), ...rowsOf('test.parquet')].sort()).toEqual(
      readFileSync(IRIS, 'utf8').trim().split('\n').slice(1).sort(),
    );
  });

  it('give the same bytes in a thread and in a process, again and again', async () => {
    const first = await wholeRun(inThread);
    const second = await wholeRun(inThread);
    const third = await wholeRun(async (stage, { dir }) => {
      const { status, stderr } = spawnSync(process.execPath, [compiled.main, stage, '--dir', dir]);
      expect(`${status} ${String(stderr)}`).toBe('0 ');
    });
    for (const [stage, outputs] of Object.entries(OUTPUTS)) {
      for (const name of [...outputs, 'metrics.json']) {
        const bytes = first[stage]?.bytes(name);
        expect(second[stage]?.bytes(name).equals(bytes ?? Buffer.of())).toBe(true);
        expect(third[stage]?.bytes(name).equals(bytes ?? Buffer.of())).toBe(true);
      }
    }
  });

  it('tell their progress', async () => {
    const done = preprocessFolder();
    await inThread('preprocess', done);
    const seen: StageProgress[] = [];
    await executor.run('train', trainFolder(done).dir, { onProgress: (progress) => seen.push(progress) });
    expect(seen[0]).toEqual({ phase: 'reading' });
    expect(seen).toContainEqual({ phase: 'growing trees', done: 10, total: 10 });
    const fitted: StageProgress[] = [];
    const logistic = folder({
      train: { algorithm: 'logistic-regression', max_iter: 3 },
      task: 'classification',
    })
      .take('train.parquet', done.out('train.parquet'))
      .take('schema.json', done.out('schema.json'));
    await executor.run('train', logistic.dir, { onProgress: (progress) => fitted.push(progress) });
    expect(fitted).toContainEqual({ phase: 'fitting, iteration', done: 3, total: 3 });
  });
});

/** Iris with another text, preprocess not yet run. */
function changedIris(change: (text: string) => string): StageFolder {
  const data = folder({}).out('iris.csv');
  writeFileSync(data, change(readFileSync(IRIS, 'utf8')));
  return folder({ ...PREPROCESS, preprocess: {} }).take('data', data);
}

describe('two classes', () => {
  it.each([
    [undefined, 'virginica'],
    ['versicolor', 'versicolor'],
  ])('are measured by the positive one (evaluate.positive: %s)', async (positive, label) => {
    const two = changedIris((text) => text.replace(/^.*setosa\r?\n/gm, ''));
    await inThread('preprocess', two);
    const trained = trainFolder(two, 1);
    await inThread('train', trained);
    const evaluated = folder({ evaluate: { positive }, task: 'classification' })
      .take('test.parquet', two.out('test.parquet'))
      .take('schema.json', two.out('schema.json'))
      .take('model.onnx', trained.out('model.onnx'));
    await inThread('evaluate', evaluated);
    const { candidate } = Evaluation.parse(evaluated.json('evaluation.json'));
    const own = candidate.perClass.find((scores) => scores.label === label);
    const { precision, recall, f1_score, [`recall.${label}`]: named } = candidate.metrics;
    expect({ precision, recall, f1: f1_score }).toEqual({
      precision: own?.precision,
      recall: own?.recall,
      f1: own?.f1,
    });
    expect(named).toBe(recall);
  });
});

describe('a champion', () => {
  it('with its columns in another order is scored by name', async () => {
    const { preprocess: plain, train: candidate } = await wholeRun(inThread);
    const renamed = preprocessFolder({ rename: { petal_width: 'a_first', sepal_length: 'petal_width' } });
    await inThread('preprocess', renamed);
    const evaluated = evaluateFolder(plain!, candidate!)
      .take('champion.onnx', candidate!.out('model.onnx'))
      .take('champion.json', plain!.out('schema.json'));
    await inThread('evaluate', evaluated);
    const { champion, candidate: scores } = Evaluation.parse(evaluated.json('evaluation.json'));
    expect(champion).toEqual({ ...scores, intervals: undefined });
  });

  it('that wants columns which are gone is noted, and is no failure', async () => {
    const { preprocess: plain, train: old } = await wholeRun(inThread);
    const fewer = preprocessFolder({ drop: ['sepal_width'] });
    await inThread('preprocess', fewer);
    const trained = trainFolder(fewer);
    await inThread('train', trained);
    const named = evaluateFolder(fewer, trained)
      .take('champion.onnx', old!.out('model.onnx'))
      .take('champion.json', plain!.out('schema.json'));
    await inThread('evaluate', named);
    expect(Evaluation.parse(named.json('evaluation.json'))).toMatchObject({
      champion: null,
      championError: expect.stringContaining('columns that the data no longer has: sepal_width') as string,
    });
    const undescribed = evaluateFolder(fewer, trained).take('champion.onnx', old!.out('model.onnx'));
    await inThread('evaluate', undescribed);
    expect(undescribed.bytes('evaluation.json').equals(named.bytes('evaluation.json'))).toBe(true);
  });

  it('whose classes are all gone from the data cannot be scored, rather than being wrong every time', async () => {
    const { preprocess: plain, train: old } = await wholeRun(inThread);
    const german = changedIris((text) =>
      text
        .replace(/setosa/g, 'Borsten')
        .replace(/versicolor/g, 'bunt')
        .replace(/virginica/g, 'blau'),
    );
    await inThread('preprocess', german);
    const trained = trainFolder(german);
    await inThread('train', trained);
    const evaluated = evaluateFolder(german, trained)
      .take('champion.onnx', old!.out('model.onnx'))
      .take('champion.json', plain!.out('schema.json'));
    await inThread('evaluate', evaluated);
    expect(Evaluation.parse(evaluated.json('evaluation.json'))).toMatchObject({
      champion: null,
      championError:
        'it knows the classes setosa, versicolor, virginica, none of which is in the data, which has Borsten, blau, bunt',
    });
  });

  it('of prepared rows, as other trainers make it, is scored by its description', async () => {
    const { preprocess: plain, train: candidate } = await wholeRun(inThread);
    const order = ['petal_width', 'petal_length', 'sepal_width', 'sepal_length'];
    const shuffled = await denseModel(plain!, order);
    const evaluated = evaluateFolder(plain!, candidate!).take('champion.onnx', shuffled.out('model.onnx'));
    evaluated.take('champion.json', shuffled.out('description.json'));
    await inThread('evaluate', evaluated);
    const { champion, candidate: scores } = Evaluation.parse(evaluated.json('evaluation.json'));
    expect(champion?.metrics['accuracy']).toBeGreaterThan(0.85);
    expect(champion?.confusion.flat()).toHaveLength(scores.confusion.flat().length);

    const fewer = preprocessFolder({ drop: ['sepal_width'] });
    await inThread('preprocess', fewer);
    const trained = trainFolder(fewer);
    await inThread('train', trained);
    const undescribed = evaluateFolder(fewer, trained).take('champion.onnx', shuffled.out('model.onnx'));
    await inThread('evaluate', undescribed);
    expect(Evaluation.parse(undescribed.json('evaluation.json')).championError).toContain('the model takes');
  });

  it('that is damaged is noted, and a damaged candidate is a failure', async () => {
    const { preprocess: plain, train: trained } = await wholeRun(inThread);
    const damaged = evaluateFolder(plain!, trained!).take('champion.onnx', IRIS);
    await inThread('evaluate', damaged);
    expect(Evaluation.parse(damaged.json('evaluation.json')).championError).toContain('no ONNX model');
    const broken = evaluateFolder(plain!, trained!).take('model.onnx', IRIS);
    await expect(inThread('evaluate', broken)).rejects.toMatchObject({ code: 'MODEL_INVALID' });
  });
});

describe('a stage that fails', () => {
  it('throws the error as it was thrown inside, and leaves no metrics', async () => {
    const bad = folder(PREPROCESS, { data: 'sepal_length,species\n1,a\ntall,b\n' });
    const error = await inThread('preprocess', bad).catch((reason: unknown) => reason);
    expect(error).toMatchObject({
      code: 'DATA_INVALID',
      message: 'data/iris.csv:3: column "sepal_length": "tall" is text, expected a number',
    } satisfies Partial<RetrainError>);
    expect(bad.json('error.json')).toMatchObject({ code: 'DATA_INVALID' });
    expect(existsSync(bad.out('metrics.json'))).toBe(false);
  });

  it.each([
    ['one class only', 'a,species\n1,x\n2,x\n', 'holds one class only'],
    ['a class with one row', 'a,species\n1,x\n2,x\n3,y\n', 'class "y" has 1 row'],
    ['an empty file', '', 'the file is empty'],
    ['a binary file', Buffer.from([1, 2, 0, 3, 4]), 'holds a NUL byte'],
  ])('refuses %s in one line', async (_, data, message) => {
    await expect(inThread('preprocess', folder(PREPROCESS, { data }))).rejects.toMatchObject({
      code: 'DATA_INVALID',
      message: expect.stringContaining(message) as string,
    });
  });

  it('on a full disk is DISK_FULL, without metrics', async () => {
    const full = preprocessFolder();
    symlinkSync('/dev/full', full.out('test.parquet'));
    await expect(inThread('preprocess', full)).rejects.toMatchObject({
      code: 'DISK_FULL',
      message: expect.stringContaining('ENOSPC') as string,
    });
    expect(existsSync(full.out('metrics.json'))).toBe(false);
  });

  it('says in one line what is wrong with its params', async () => {
    const changes = { preprocess: { seed: 'many', impute: 'guess' } };
    await expect(
      inThread('preprocess', folder({ ...PREPROCESS, ...changes }).take('data', IRIS)),
    ).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
      message: expect.stringMatching(
        /^params\.json\.preprocess\.impute: Invalid option: expected one of .* \(and 1 more mistake\)$/,
      ) as string,
    });
  });

  it.each([
    ['no JSON', '{', /^in\/schema\.json is not JSON: .*$/],
    ['of another form', '{"features":[]}', /^in\/schema\.json\.features: .* \(and 4 more mistakes\)$/],
  ])('says in one line that the schema is %s', async (_, schema, message) => {
    const made = folder({ train: {}, task: 'classification' }, { 'schema.json': schema });
    await expect(inThread('train', made)).rejects.toMatchObject({
      code: 'STAGE_FAILED',
      message: expect.stringMatching(message) as string,
    });
  });

  it('says which input is missing', async () => {
    await expect(inThread('train', folder({ train: {}, task: 'classification' }))).rejects.toMatchObject({
      code: 'STAGE_FAILED',
      message: expect.stringContaining('in/schema.json is not there') as string,
    });
  });

  it('exits with its code and says so on stderr, as a process', () => {
    const bad = folder(PREPROCESS, { data: 'species\nx\n' });
    const { status, stderr } = spawnSync(process.execPath, [compiled.main, 'preprocess', '--dir', bad.dir]);
    expect(String(stderr)).toContain('DATA_INVALID: data/iris.csv:1: no feature is left');
    expect(status).toBe(2);
    expect(spawnSync(process.execPath, [compiled.main, 'prepare']).status).toBe(2);
  });
});

describe('cancelling', () => {
  it('a training returns at once, and the next one runs', async () => {
    const done = preprocessFolder();
    await inThread('preprocess', done);
    const abort = new AbortController();
    const reason = new Error('cancelled by the test');
    const long = executor.run('train', trainFolder(done, 10_000).dir, {
      signal: abort.signal,
      onProgress: ({ done: trees }) => {
        if (trees === 3) abort.abort(reason);
      },
    });
    await expect(long).rejects.toBe(reason);
    await expect(inThread('train', trainFolder(done))).resolves.toMatchObject({});
  });

  it('an evaluation at any moment leaves the process alive', async () => {
    const { preprocess: done, train: trained } = await wholeRun(inThread);
    for (let moment = 0; moment < 12; moment++) {
      const abort = new AbortController();
      const running = executor.run('evaluate', evaluateFolder(done!, trained!).dir, { signal: abort.signal });
      setTimeout(() => abort.abort(), moment);
      await running.catch(() => undefined);
    }
    await expect(inThread('evaluate', evaluateFolder(done!, trained!))).resolves.toMatchObject({});
  });

  it('before the start does not start', async () => {
    await expect(
      executor.run('train', '/nowhere', { signal: AbortSignal.abort(new Error('too late')) }),
    ).rejects.toThrow('too late');
  });
});
