import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { creditModel, layOutForest } from '../../../bench/credit-model';
import { type Label, type Row } from '../../../serving/predict';
import { penguinModel } from '../../serving/model/model-folder';
import { movingAverageModel } from '../../serving/model/moving-average-folder';
import { type Asked, everyRoad, expectSame } from './roads';

jest.setTimeout(240_000);

const CREDIT_ROWS = 10_000;

interface Heard {
  dtype: string;
  prediction: Label[];
  probabilities?: number[][];
}

describe('loadModel, tables and the API answer what Python’s mlflow.pyfunc answers', () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'equality-'));
  const cases: Record<string, Asked> = {};
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
    const average = await movingAverageModel();
    const prices = path.join(folder, 'prices.csv');
    const header = Object.keys(average.rows[0] ?? {});
    const cells = average.rows.map((row) => header.map((name) => row[name] ?? '').join(','));
    writeFileSync(prices, [header.join(','), ...cells, ''].join('\n'));
    cases['moving average'] = { dir: average.dir, csv: prices, rows: average.rows };
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
    ['moving average', 'float64'],
  ])('%s: labels of the same type, numbers to 1e-6, on every road', async (name, dtype) => {
    const { dtype: type, prediction, probabilities } = heard[name]!;
    expect(type).toBe(dtype);
    const theirs = { predictions: prediction, probabilities: probabilities?.flat() ?? null };
    const roads = await everyRoad(cases[name]!);
    expect(Object.keys(roads)).toHaveLength(8);
    for (const said of Object.values(roads)) expectSame(said, theirs);
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
