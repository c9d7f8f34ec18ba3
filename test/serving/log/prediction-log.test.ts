import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';
import { openPredictionLog } from '../../../serving/log/open-prediction-log';
import { type PredictionRow, readPredictions } from '../../../serving/log/read-predictions';
import { column, logged, modelOf } from './logged';

const IRIS = modelOf(['setosa', 'versicolor', 'virginica']);
const MORNING = Date.parse('2026-03-09T10:00:00Z');

const now = (): number => MORNING;

let dir: string;
beforeEach(() => {
  dir = path.join(mkdtempSync(path.join(tmpdir(), 'prediction-log-')), 'predictions');
});
afterEach(() => rmSync(path.dirname(dir), { recursive: true, force: true }));

function iris(requestId: string, petal: number | null, site: string | null = 'north') {
  return logged({
    model: IRIS,
    requestId,
    columns: [column('petal', [petal], 'number'), column('site', [site], 'text')],
    answers: [['setosa', 0.9]],
    latencyMs: 1.5,
  });
}

async function rowsOf(query = {}): Promise<PredictionRow[]> {
  const rows = [];
  for await (const row of readPredictions(dir, query)) rows.push(row);
  return rows;
}

function filesIn(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) =>
    statSync(path.join(folder, name)).isFile(),
  );
}

function parquetFiles(): string[] {
  return filesIn(dir).filter((name) => name.endsWith('.parquet'));
}

/** The folder as DuckDB reads it. */
async function inDuckDB(sql: string): Promise<unknown[]> {
  const instance = await DuckDBInstance.create();
  const connection = await instance.connect();
  try {
    return (await connection.runAndReadAll(sql)).getRowObjectsJson();
  } finally {
    connection.closeSync();
    instance.closeSync();
  }
}

test('keeps predictions, by column, and joins what turned out to be true', async () => {
  const log = openPredictionLog({ dir, now });
  log.add(iris('one', 1.4));
  log.add(
    logged({
      model: IRIS,
      requestId: 'two',
      columns: [column('petal', [null, 5.1], 'number'), column('site', ['south', null], 'text')],
      answers: [
        ['virginica', 0.5],
        ['versicolor', 0.75],
      ],
    }),
  );
  expect(log.feedback('two', 1, 'virginica')).toBe(true);
  await log.close();
  expect(log.status()).toEqual({ written: 3, dropped: 0, queued: 0 });
  expect(await rowsOf()).toEqual([
    {
      time: new Date(MORNING),
      requestId: 'one',
      row: 0,
      modelName: 'iris-classifier',
      modelVersion: '3',
      role: 'production',
      prediction: 'setosa',
      probability: 0.9,
      latencyMs: 1.5,
      features: { petal: 1.4, site: 'north' },
      label: null,
      labelTime: null,
    },
    expect.objectContaining({
      requestId: 'two',
      row: 0,
      features: { petal: null, site: 'south' },
      label: null,
    }),
    expect.objectContaining({
      requestId: 'two',
      row: 1,
      prediction: 'versicolor',
      probability: 0.75,
      latencyMs: null,
      features: { petal: 5.1, site: null },
      label: 'virginica',
      labelTime: expect.any(Date) as Date,
    }),
  ]);
});

test('DuckDB reads versions of other columns together, and joins the labels', async () => {
  const log = openPredictionLog({ dir, now });
  log.add(iris('one', 1.4));
  const wider = modelOf([0, 1]);
  log.add(
    logged({
      model: wider,
      requestId: 'two',
      version: '4',
      columns: [column('sepal', [3], 'number'), column('request_id', ['mine'], 'text')],
      answers: [[1, 0.6]],
    }),
  );
  log.feedback('two', 0, 1);
  await log.close();
  const found = await inDuckDB(`
    select p.request_id, model_version, feature_petal, feature_sepal, feature_request_id, cast(p.time as varchar) as time, label_number
    from read_parquet('${dir}/2026-*/*@*/*.parquet', union_by_name = true) p
    left join read_parquet('${dir}/*/feedback/*.parquet') f on f.request_id = p.request_id and f.row = p.row order by 1`);
  expect(found).toEqual([
    expect.objectContaining({
      request_id: 'one',
      feature_petal: 1.4,
      feature_sepal: null,
      label_number: null,
    }),
    expect.objectContaining({
      request_id: 'two',
      model_version: '4',
      feature_sepal: 3,
      feature_request_id: 'mine',
      label_number: 1,
    }),
  ]);
});

test('a column that is left out is in no file', async () => {
  const log = openPredictionLog({ dir, exclude: ['site'], now });
  log.add(iris('one', 1.4, 'a-secret-place'));
  await log.close();
  expect((await rowsOf())[0]?.features).toEqual({ petal: 1.4 });
  for (const file of filesIn(dir))
    expect(readFileSync(path.join(dir, file), 'latin1')).not.toMatch(/secret|site/);
});

test('files are for their owner only', async () => {
  const log = openPredictionLog({ dir, now });
  log.add(iris('one', 1));
  log.feedback('one', 0, 'setosa');
  await log.close();
  for (const name of readdirSync(dir, { recursive: true, encoding: 'utf8' })) {
    const found = statSync(path.join(dir, name));
    expect([name, found.mode & 0o777]).toEqual([name, found.isFile() ? 0o600 : 0o700]);
  }
  expect(statSync(dir).mode & 0o777).toBe(0o700);
});

test('what comes while the queue is full is dropped and counted', async () => {
  const notices: string[] = [];
  const log = openPredictionLog({
    dir,
    queueRows: 10,
    now,
    flushMs: 60_000,
    onNotice: (line) => notices.push(line),
  });
  for (let index = 0; index < 25; index += 1) log.add(iris(`r${index}`, index));
  expect(log.status()).toEqual({ written: 0, dropped: 15, queued: 10 });
  expect(notices).toEqual([expect.stringContaining('queue is full')]);
  await log.close();
  expect(log.status()).toEqual({ written: 10, dropped: 15, queued: 0 });
  log.add(iris('late', 1));
  expect(log.status().dropped).toBe(16);
});

test('long texts fill the queue, too', async () => {
  const log = openPredictionLog({ dir, queueBytes: 100_000, now, flushMs: 60_000 });
  for (let index = 0; index < 100; index += 1) log.add(iris(`r${index}`, 1, 'x'.repeat(10_000)));
  expect(log.status().queued).toBeLessThan(10);
  await log.close();
});

test('goes on when the folder can be written again, and says each once', async () => {
  const notices: string[] = [];
  writeFileSync(dir, 'a file stands where the folder should be');
  const log = openPredictionLog({ dir, flushMs: 5, now, onNotice: (line) => notices.push(line) });
  log.add(iris('lost', 1));
  log.add(iris('lost', 2));
  await until(() => log.status().dropped === 2);
  log.add(iris('lost', 3));
  await until(() => log.status().dropped === 3);
  rmSync(dir);
  log.add(iris('kept', 4));
  await until(() => log.status().written === 1);
  await log.close();
  expect(notices).toEqual([
    expect.stringMatching(/is losing predictions: .*(EEXIST|ENOTDIR)/),
    expect.stringContaining('3 predictions were dropped'),
  ]);
  expect((await rowsOf()).map(({ requestId }) => requestId)).toEqual(['kept']);
});

test('days that are too old go, the others are merged into one file', async () => {
  let day = MORNING;
  const log = openPredictionLog({ dir, retentionDays: 2, flushMs: 5, now: () => day });
  let count = 0;
  for (const past of ['2026-03-06', '2026-03-07', '2026-03-08']) {
    for (const part of [1, 2, 3]) {
      log.add({ ...iris(`${past} ${part}`, part), at: Date.parse(past) });
      const expected = (count += 1);
      await until(() => log.status().written === expected);
    }
  }
  expect(parquetFiles().filter((name) => name.startsWith('2026-03-08')).length).toBeGreaterThan(1);
  day += 120_000;
  await log.close();
  expect(readdirSync(dir).filter((name) => !name.startsWith('.'))).toEqual(['2026-03-07', '2026-03-08']);
  expect(parquetFiles().length).toBe(2);
  expect((await rowsOf()).map(({ requestId }) => requestId).sort()).toEqual(
    ['07', '08'].flatMap((day) => [1, 2, 3].map((part) => `2026-03-${day} ${part}`)),
  );
});

test('names that no folder could have stay apart, within the folder', async () => {
  const log = openPredictionLog({ dir, now });
  const names = ['../../up', 'a/b', 'a@b', '.', 'x'.repeat(500), `${'x'.repeat(499)}y`, 'ü 模型', '\ud800'];
  names.forEach((name, index) => log.add({ ...iris(`r${index}`, 1), modelName: name }));
  await log.close();
  expect(existsSync(path.join(path.dirname(dir), 'up@3'))).toBe(false);
  for (const name of names.slice(0, -1)) {
    expect((await rowsOf({ model: name })).map(({ modelName }) => modelName)).toEqual([name]);
  }
});

test('counts what true labels say about each version', async () => {
  const judged: unknown[] = [];
  const log = openPredictionLog({ dir, flushMs: 5, now, onJudged: (one) => judged.push(one) });
  log.add(iris('one', 1));
  log.add(iris('two', 1));
  log.add({ ...iris('two', 1), role: 'shadow', modelVersion: '4' });
  await until(() => log.status().written === 3);
  log.feedback('one', 0, 'setosa');
  log.feedback('two', 0, 'virginica');
  log.feedback('never seen', 0, 'virginica');
  await log.close();
  expect(judged).toEqual([
    { modelName: 'iris-classifier', modelVersion: '3', rows: 2, right: 1, squaredError: 0 },
  ]);
});

test('keeps a share of the requests, the same in every process, with their labels', async () => {
  const share = async (folder: string): Promise<string[]> => {
    const log = openPredictionLog({ dir: folder, now, sample: 0.25 });
    for (let index = 0; index < 2000; index += 1) log.add(iris(`request-${index}`, index));
    await log.close();
    const ids = [];
    for await (const { requestId } of readPredictions(folder)) ids.push(requestId);
    return ids;
  };
  const first = await share(dir);
  expect(first.length).toBeGreaterThan(400);
  expect(first.length).toBeLessThan(600);
  expect(await share(`${dir}-second`)).toEqual(first);
});

/** Waits for something that a thread does. */
async function until(reached: () => boolean): Promise<void> {
  while (!reached()) await new Promise((resolve) => setTimeout(resolve, 2));
}
