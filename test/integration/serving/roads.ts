import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { openModel } from '../../../serving/model/open-model';
import { loadModel, type Label, type Row } from '../../../serving/predict';
import { predictTable } from '../../../serving/tables/predict-table';
import { openApi } from '../../serving/api/open-api';

/** What a model said of rows, whoever was asked. */
export interface Said {
  predictions: readonly Label[];
  /** `[n · K]`, row by row; null: a regression; undefined: this road has none. */
  probabilities: readonly number[] | null | undefined;
}

/** A model, and the same rows as JSON and as a CSV file that has these columns among others. */
export interface Asked {
  dir: string;
  csv: string;
  rows: readonly Row[];
}

/** Asks a model on every road to its answers: `loadModel`, a table, and `/predict` and `/invocations` over HTTP. */
export async function everyRoad({ dir, csv, rows }: Asked): Promise<Record<string, Said>> {
  const said: Record<string, Said> = {
    loadModel: await byLoadModel(dir, rows),
    'retrain predict': await byTable(dir, csv),
  };
  const model = await openModel(dir);
  const { app } = await openApi({ bodyLimit: 64 << 20 }, model);
  try {
    await app.listen({ host: '127.0.0.1', port: 0 });
    const { port } = app.server.address() as AddressInfo;
    const base = `http://127.0.0.1:${port}`;
    const classes = model.classes.map(String);
    said['/predict'] = await byPredict(base, rows, classes);
    const names = Object.keys(rows[0] ?? {});
    const records = { dataframe_records: rows };
    const split = { columns: names, data: rows.map((row) => names.map((name) => row[name])) };
    const columns = Object.fromEntries(names.map((name) => [name, rows.map((row) => row[name])]));
    for (const [form, body] of Object.entries({
      records,
      split: { dataframe_split: split },
      instances: { instances: rows },
      inputs: { inputs: columns },
    })) {
      said[`/invocations, ${form}`] = await byInvocations(base, body, model.task === 'classification');
    }
    const lines = rows.map((row) => names.map((name) => row[name] ?? '').join(','));
    const table = [names.map((name) => JSON.stringify(name)).join(','), ...lines, ''].join('\n');
    said['/invocations, CSV'] = {
      predictions: (await invoked(base, table, 'text/csv')) as Label[],
      probabilities: undefined,
    };
  } finally {
    await app.close();
    await model.close();
  }
  return said;
}

async function byLoadModel(dir: string, rows: readonly Row[]): Promise<Said> {
  const model = await loadModel(dir);
  try {
    const answers = await model.predict(rows);
    return {
      predictions: answers.map(({ prediction }) => prediction),
      probabilities:
        model.task === 'regression' ? null : answers.flatMap(({ probabilities }) => probabilities ?? []),
    };
  } finally {
    await model.close();
  }
}

async function byTable(dir: string, csv: string): Promise<Said> {
  const folder = mkdtempSync(path.join(tmpdir(), 'by-table-'));
  const model = await openModel(dir);
  try {
    const out = path.join(folder, 'said.jsonl');
    await predictTable({
      ...{ dataPath: csv, file: path.basename(csv), model, about: {}, out, project: folder },
      signal: new AbortController().signal,
    });
    const answers = readFileSync(out, 'utf8')
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, Label>);
    return {
      predictions: answers.map((answer) => answer['prediction']!),
      probabilities:
        model.task === 'regression'
          ? null
          : answers.flatMap((answer) =>
              model.classes.map((label) => Number(answer[`probability_${String(label)}`])),
            ),
    };
  } finally {
    await model.close();
    rmSync(folder, { recursive: true });
  }
}

async function byPredict(base: string, rows: readonly Row[], classes: readonly string[]): Promise<Said> {
  const { predictions } = (await posted(`${base}/predict`, JSON.stringify({ rows }))) as {
    predictions: { prediction: Label; probabilities: Record<string, number> | null }[];
  };
  return {
    predictions: predictions.map(({ prediction }) => prediction),
    probabilities:
      classes.length === 0
        ? null
        : predictions.flatMap(({ probabilities }) => classes.map((label) => probabilities?.[label] ?? NaN)),
  };
}

async function byInvocations(base: string, body: object, classifies: boolean): Promise<Said> {
  const predictions = await invoked(base, JSON.stringify(body));
  if (!classifies) return { predictions: predictions as number[], probabilities: null };
  const shares = await invoked(
    base,
    JSON.stringify({ ...body, params: { predict_method: 'predict_proba' } }),
  );
  return { predictions: predictions as Label[], probabilities: (shares as number[][]).flat() };
}

async function invoked(base: string, body: string, type?: string): Promise<unknown[]> {
  return ((await posted(`${base}/invocations`, body, type)) as { predictions: unknown[] }).predictions;
}

async function posted(url: string, body: string, type = 'application/json'): Promise<unknown> {
  const response = await fetch(url, { method: 'POST', headers: { 'content-type': type }, body });
  const text = await response.text();
  if (!response.ok) throw new Error(`${url}: ${response.status} ${text.slice(0, 1000)}`);
  return JSON.parse(text) as unknown;
}

/** Labels are equal, numbers to 1e-6 of their size. */
export function expectSame(said: Said, theirs: Said): void {
  if (theirs.probabilities === null || theirs.probabilities === undefined) {
    expect(said.probabilities ?? null).toBeNull();
    expect(worst(said.predictions as number[], theirs.predictions as number[])).toBeLessThanOrEqual(1e-6);
    return;
  }
  expect(said.predictions).toEqual(theirs.predictions);
  if (said.probabilities === undefined) return;
  expect(worst(said.probabilities ?? [], theirs.probabilities)).toBeLessThanOrEqual(1e-6);
}

/** The largest difference, relative to the size of large numbers; infinite for lists of other lengths. */
function worst(ours: readonly number[], theirs: readonly number[]): number {
  if (ours.length !== theirs.length || ours.length === 0) return Infinity;
  return ours.reduce((most, value, i) => {
    const difference = Math.abs(value - theirs[i]!) / Math.max(1, Math.abs(value));
    return Math.max(most, Number.isNaN(difference) ? Infinity : difference);
  }, 0);
}
