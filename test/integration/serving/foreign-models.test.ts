import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { openModel } from '../../../serving/model/open-model';
import { type Answers, type ServedModel } from '../../../serving/model/served-model';
import { describeWith } from '../../tools/needs';
import { everyRoad, expectSame } from './roads';

const run = promisify(execFile);

const NAMES = [
  ...['logistic-zipmap', 'forest-words', 'forest-words-zipmap', 'forest-negative', 'svc-scores'],
  ...['perceptron', 'regression', 'penguins', 'penguins-zipmap', 'penguins-columns'],
  ...['logistic-columns', 'forest-words-columns', 'forest-negative-columns'],
];

interface About {
  columns: string[];
  rows: (string | number)[][];
}

type Said = Record<
  string,
  (string | number)[] | number[][] | { classes: (string | number)[]; rows: number[][] }
>;

describeWith('skl2onnx')('scikit-learn models, exported by skl2onnx and logged by mlflow.onnx', () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'foreign-'));
  let pyfunc: Record<string, Said>;
  const open: ServedModel[] = [];

  beforeAll(async () => {
    const penguins = path.join(__dirname, '../../../examples/penguins/data/penguins.csv');
    const exporter = process.env['RETRAIN_TEST_SKL2ONNX'] ?? 'python3';
    await run(exporter, [path.join(__dirname, 'export-sklearn.py'), penguins, folder]);
    const python = process.env['RETRAIN_TEST_MLFLOW_PYTHON'] ?? 'python3';
    const { stdout } = await run(python, [path.join(__dirname, 'ask-pyfunc.py'), folder, ...NAMES], {
      maxBuffer: 50_000_000,
    });
    pyfunc = JSON.parse(stdout.slice(stdout.indexOf('{'))) as Record<string, Said>;
  }, 240_000);

  afterAll(async () => {
    await Promise.all(open.map((model) => model.close()));
    rmSync(folder, { recursive: true });
  });

  const aboutOf = (name: string): About =>
    JSON.parse(readFileSync(path.join(folder, `${name}.json`), 'utf8')) as About;

  async function asked(name: string): Promise<{ model: ServedModel; answers: Answers; said: Said }> {
    const { columns, rows } = aboutOf(name);
    const model = await openModel(path.join(folder, name));
    open.push(model);
    // Without names in the signature the fields are x0, x1, …, in the columns' order.
    const names = columns.map(
      (column, at) => model.fields.find((field) => field.name === column)?.name ?? `x${at}`,
    );
    const read = model.read(
      rows.map((row) =>
        Object.fromEntries(row.map((cell, at): [string, unknown] => [names[at] ?? '', cell])),
      ),
    );
    if (!('batch' in read)) throw new Error(JSON.stringify(read.mistakes.slice(0, 3)));
    return { model, answers: await model.score(read.batch), said: pyfunc[name] ?? {} };
  }

  test.each(NAMES.filter((name) => name !== 'regression' && name !== 'svc-scores'))(
    '%s: labels of the same type, probabilities to 1e-6',
    async (name) => {
      const { model, answers, said } = await asked(name);
      expect(model).toMatchObject({ task: 'classification', engine: 'onnxruntime' });
      const [label = [], table = []] = [
        said['label'] ?? said['output_label'],
        said['probabilities'] ?? said['output_probability'] ?? sideBySide(said),
      ];
      expect(answers.labels).toEqual(label);
      const flat = 'classes' in table ? table.rows.flat() : (table as number[][]).flat();
      if ('classes' in table) expect(model.classes).toEqual(table.classes);
      expect(flat.length).toBeGreaterThan(0);
      expectClose(answers.probabilities, flat);
    },
  );

  test('a regression: numbers', async () => {
    const { model, answers, said } = await asked('regression');
    expect(model).toMatchObject({ task: 'regression', classes: [] });
    expect(model.fields.map(({ name }) => name)).toContain('bmi');
    expectClose(answers.values, (said['variable'] as number[]).flat());
  });

  test('scores that are no probabilities are not taken for some', async () => {
    const { answers, said } = await asked('svc-scores');
    expect(answers.labels).toEqual(said['label']);
    expect(answers.probabilities).toBeNull();
    expect((said['probabilities'] as number[][]).flat().some((score) => score < 0)).toBe(true);
  });

  test.each(['penguins', 'penguins-zipmap', 'penguins-columns', 'forest-words', 'regression'])(
    '%s: the same by loadModel, tables and the API',
    async (name) => {
      const { model, answers } = await asked(name);
      const { rows: cells } = aboutOf(name);
      const names = model.fields.map((field) => field.name);
      const rows = cells.map((row) => Object.fromEntries(names.map((field, at) => [field, row[at] ?? null])));
      const csv = path.join(folder, `${name}.csv`);
      writeFileSync(csv, [names, ...cells].map((row) => `${row.join(',')}\n`).join(''));
      const roads = await everyRoad({ dir: path.join(folder, name), csv, rows });
      expect(Object.keys(roads)).toHaveLength(8);
      // `answers` was held against pyfunc above.
      const theirs = {
        predictions: answers.labels ?? [...(answers.values ?? [])],
        probabilities: answers.probabilities === null ? null : [...answers.probabilities],
      };
      for (const said of Object.values(roads)) expectSame(said, theirs);
    },
  );

  test('the first class of each of three is known by its own word', async () => {
    const { model } = await asked('forest-words');
    expect(model.classes).toEqual(['setosa', 'versicolor', 'virginica']);
    expect(model.fields.map(({ name }) => name)).toEqual(['x0', 'x1', 'x2', 'x3']);
    expect((await asked('forest-negative')).model.classes).toEqual([-1, 1]);
  });
});

/** An output for each class, i0 or ssetosa, as a table. */
function sideBySide(said: Said): { classes: (string | number)[]; rows: number[][] } {
  const columns = Object.entries(said).filter(([name]) => name !== 'output_label') as [string, number[]][];
  const classes = columns.map(([name]) => (name.startsWith('i') ? Number(name.slice(1)) : name.slice(1)));
  const rows = (columns[0]?.[1] ?? []).map((_, row) => columns.map(([, shares]) => shares[row] ?? NaN));
  return { classes, rows };
}

function expectClose(ours: Float64Array | null, theirs: readonly number[]): void {
  expect(ours).toHaveLength(theirs.length);
  const worst = theirs.reduce(
    (most, value, i) => Math.max(most, Math.abs(value - (ours?.[i] ?? NaN)) / Math.max(1, Math.abs(value))),
    0,
  );
  expect(worst).toBeLessThanOrEqual(1e-6);
}
