import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { creditModel, layOutForest } from '../../../bench/credit-model';
import { openModel } from '../../../serving/model/open-model';
import { loadModel, type Prediction, type Row } from '../../../serving/predict';
import { predictTable } from '../../../serving/tables/predict-table';
import { penguinModel } from '../../serving/model/model-folder';

jest.setTimeout(240_000);

const CREDIT_ROWS = 10_000;

interface Heard {
  dtype: string;
  prediction: (string | number | boolean)[];
  probabilities?: number[][];
}

/** A model, a table for it as a CSV file, and the same rows as JSON. */
interface Case {
  dir: string;
  csv: string;
  rows: Row[];
}

describe('loadModel and tables answer what Python’s mlflow.pyfunc answers', () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'equality-'));
  const cases: Record<string, Case> = {};
  const heard: Record<string, Heard> = {};

  beforeAll(async () => {
    const iris = path.join(__dirname, '../../../data/iris.csv');
    const irisDir = path.join(folder, 'iris-model');
    await layOutForest(iris, 'species', irisDir, { drop: [], trees: 100 });
    cases['iris'] = { dir: irisDir, csv: iris, rows: numbersOf(iris, ['species']) };
    const credit = await creditModel(folder, CREDIT_ROWS);
    const unused = ['', 'SeriousDlqin2yrs'];
    cases['credit'] = { dir: credit.model, csv: credit.data, rows: numbersOf(credit.data, unused) };
    for (const task of ['classification', 'regression'] as const) {
      const { dir, records } = await penguinModel(task);
      const csv = path.join(folder, `penguins-${task}.csv`);
      const names = Object.keys(records[0] ?? {});
      const lines = records.map((record) => names.map((name) => record[name] ?? '').join(','));
      writeFileSync(csv, [names.join(','), ...lines, ''].join('\n'));
      cases[`penguins ${task}`] = { dir, csv, rows: records };
    }
    const python = process.env['RETRAIN_TEST_MLFLOW_PYTHON'] ?? 'python3';
    const asked = Object.values(cases).flatMap(({ dir, csv }) => [dir, csv]);
    const { stdout } = await promisify(execFile)(python, [path.join(__dirname, 'pyfunc-rows.py'), ...asked], {
      maxBuffer: 50_000_000,
    });
    const said = JSON.parse(stdout.slice(stdout.indexOf('[{'))) as Heard[];
    Object.keys(cases).forEach((name, at) => (heard[name] = said[at]!));
  });

  afterAll(() => rmSync(folder, { recursive: true }));

  test.each<[string, string]>([
    ['iris', 'object'],
    ['credit', 'int64'],
    ['penguins classification', 'object'],
    ['penguins regression', 'float64'],
  ])('%s: labels of the same type, numbers to 1e-6', async (name, dtype) => {
    const { dir, csv, rows } = cases[name]!;
    const theirs = heard[name]!;
    expect(theirs.dtype).toBe(dtype);
    const model = await loadModel(dir);
    const said = await model.predict(rows);
    await model.close();
    expectSame(said, theirs);

    const served = await openModel(dir);
    const out = path.join(folder, 'said.csv');
    const done = await predictTable({
      ...{ dataPath: csv, file: path.basename(csv), model: served, about: {}, out, project: folder },
      signal: new AbortController().signal,
    });
    await served.close();
    expect(done.rows).toBe(theirs.prediction.length);
    const [header = '', ...lines] = readFileSync(out, 'utf8').trim().split('\n');
    const first = theirs.probabilities?.map(([share = NaN]) => share) ?? (theirs.prediction as number[]);
    const column = model.task === 'regression' ? 'prediction' : `probability_${String(model.classes[0])}`;
    const at = header.split(',').indexOf(column);
    const ours = lines.map((line) => Number(line.split(',')[at]));
    expect(worst(ours, first)).toBeLessThanOrEqual(1e-6);
  });
});

/** What a table of numbers says, row by row; a cell that is empty or NA is missing. */
function numbersOf(csv: string, without: readonly string[]): Row[] {
  const [header = '', ...lines] = readFileSync(csv, 'utf8').trim().split('\n');
  const names = header.trim().replaceAll('"', '').split(',');
  return lines.map((line) => {
    const cells = line.trim().split(',');
    const pairs = names.map((name, at): [string, number | null] => {
      const cell = cells[at] ?? '';
      return [name, cell === '' || cell === 'NA' ? null : Number(cell)];
    });
    return Object.fromEntries(pairs.filter(([name]) => !without.includes(name)));
  });
}

function expectSame(said: readonly Prediction[], theirs: Heard): void {
  if (theirs.probabilities === undefined) {
    expect(
      worst(
        said.map(({ prediction }) => prediction as number),
        theirs.prediction as number[],
      ),
    ).toBeLessThanOrEqual(1e-6);
    return;
  }
  expect(said.map(({ prediction }) => prediction)).toEqual(theirs.prediction);
  const ours = said.flatMap(({ probabilities }) => probabilities ?? []);
  expect(worst(ours, theirs.probabilities.flat())).toBeLessThanOrEqual(1e-6);
}

/** The largest difference, relative to the size of large numbers; infinite for lists of other lengths. */
function worst(ours: readonly number[], theirs: readonly number[]): number {
  if (ours.length !== theirs.length || ours.length === 0) return Infinity;
  return ours.reduce((most, value, i) => {
    const difference = Math.abs(value - theirs[i]!) / Math.max(1, Math.abs(value));
    return Math.max(most, Number.isNaN(difference) ? Infinity : difference);
  }, 0);
}
