import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { openModel } from '../../../serving/model/open-model';
import { type Label, loadModel } from '../../../serving/predict';
import { predictTable } from '../../../serving/tables/predict-table';
import { openApi } from '../api/open-api';
import { twoClasses } from './two-classes';

describe.each(['forest', 'logistic'] as const)('a %s whose evaluation chose a cut-off', (kind) => {
  const THRESHOLD = 0.3;
  let dir: string;
  let rows: Record<string, number>[];
  /** By the cut-off, of the class 1. */
  let expected: Label[];

  beforeAll(async () => {
    ({ dir, records: rows } = await twoClasses(kind, { '1': THRESHOLD }));
    const model = await loadModel(dir);
    const answers = await model.predict(rows);
    expect(model.cutoff).toEqual({ positive: 1, threshold: THRESHOLD });
    await model.close();
    expected = answers.map(({ probabilities }) => (probabilities![1]! >= THRESHOLD ? 1 : 0));
    // Some rows are decided otherwise than the most probable class would have it.
    expect(answers.filter(({ prediction }, row) => prediction !== expected[row]).length).toBeGreaterThan(3);
    expect(new Set(expected).size).toBe(2);
  });
  afterAll(() => rmSync(path.dirname(dir), { recursive: true }));

  test('loadModel says what it decides', async () => {
    const model = await loadModel(dir);
    expect((await model.predict(rows)).map(({ decision }) => decision)).toEqual(expected);
    await model.close();
  });

  test('so does /predict, which names the cut-off', async () => {
    const model = await openModel(dir);
    const { app } = await openApi({}, model);
    const { predictions, cutoff } = (
      await app.inject({ method: 'POST', url: '/predict', payload: { rows } })
    ).json<{ predictions: { decision: Label }[]; cutoff: unknown }>();
    expect(predictions.map(({ decision }) => decision)).toEqual(expected);
    expect(cutoff).toEqual({ positive: 1, threshold: THRESHOLD });
    await app.close();
    await model.close();
  });

  test('so do tables, in a column of its own, of the labels’ own type', async () => {
    const folder = path.dirname(dir);
    const csv = path.join(folder, 'rows.csv');
    writeFileSync(csv, `size,weight\n${rows.map(({ size, weight }) => `${size},${weight}\n`).join('')}`);
    const model = await openModel(dir);
    const out = path.join(folder, 'said.jsonl');
    await predictTable({
      ...{ dataPath: csv, file: 'rows.csv', model, about: {}, out, project: folder },
      signal: new AbortController().signal,
    });
    await model.close();
    const lines = readFileSync(out, 'utf8').trim().split('\n');
    expect(lines.map((line) => (JSON.parse(line) as { decision: Label }).decision)).toEqual(expected);
  });
});

test('no cut-off, no decision', async () => {
  const { dir, records } = await twoClasses('forest');
  const model = await loadModel(dir);
  expect(model.cutoff).toBeNull();
  expect((await model.predict(records.slice(0, 1)))[0]).toMatchObject({ decision: null });
  await model.close();
  rmSync(path.dirname(dir), { recursive: true });
});
