import { appendFileSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { parse, stringify } from 'yaml';
import { identifyRun } from '../../pipeline/run/identify-run';
import { loadParams } from '../../pipeline/run/load-params';
import { dvcAside, dvcInit, judged } from '../integrations/dvc/real-dvc';
import { Workbench } from './workbench';

jest.setTimeout(120_000);

const ORIGIN = 'data/origin.csv';
const SQL =
  'SELECT data.*, origin.height FROM data JOIN origin USING (species) ORDER BY sepal_length, sepal_width, petal_length, petal_width';

let bench: Workbench;
beforeEach(() => {
  bench = new Workbench();
  writeFileSync(bench.path(ORIGIN), 'species,height\nsetosa,1.5\nversicolor,2.5\nvirginica,3.5\n');
  params({ extra: { origin: ORIGIN } }, { sql: SQL });
});
afterEach(() => bench.remove());

function params(data: object, preprocess: object = {}): void {
  const known = parse(bench.text('params.yaml')) as { data: object };
  const all = { ...known, data: { path: 'data/iris.csv', target: 'species', ...data }, preprocess };
  writeFileSync(bench.path('params.yaml'), stringify(all));
}

interface StageReport {
  reused: boolean;
  outputs: { path: string | null }[];
  metrics: Record<string, number>;
}

const preprocess = () => bench.json<StageReport>('stage', 'preprocess');

async function refusal(): Promise<string> {
  const { code, stderr } = await bench.cli(['stage', 'preprocess']);
  expect(code).toBe(2);
  return stderr;
}

const identity = () =>
  identifyRun({
    project: bench.dir,
    paramsPath: 'params.yaml',
    code: { combined: 'a'.repeat(64), stages: { preprocess: 'a', train: 'b', evaluate: 'c' } },
    imageDigest: () => Promise.reject(new Error('no container')),
  });

test('a query joins a declared table, and a changed one is new data', async () => {
  expect(await preprocess()).toMatchObject({ reused: false, metrics: { features: 5 } });
  expect(await preprocess()).toMatchObject({ reused: true });
  appendFileSync(bench.path(ORIGIN), 'another,4.5\n');
  expect(await preprocess()).toMatchObject({ reused: false });
});

test('a condition may look into a declared table', async () => {
  params(
    { extra: { origin: ORIGIN } },
    { filter: 'species IN (SELECT species FROM origin WHERE height > 2)' },
  );
  expect(await preprocess()).toMatchObject({ metrics: { features: 4, rows_train: 80, rows_test: 20 } });
});

test('what a table holds, and what it is called, is part of what the run is; where it lies is not', async () => {
  const first = await identity();
  expect(first.extra?.['origin']).toMatchObject({ path: ORIGIN, sizeBytes: 55 });
  writeFileSync(bench.path('data/moved.csv'), readFileSync(bench.path(ORIGIN)));
  params({ extra: { origin: 'data/moved.csv' } }, { sql: SQL });
  expect((await identity()).pipelineKey).toBe(first.pipelineKey);
  appendFileSync(bench.path('data/moved.csv'), 'another,4.5\n');
  const changed = await identity();
  expect(changed.paramsHash).toBe(first.paramsHash);
  expect(changed.data).toEqual(first.data);
  expect(changed.dataHash).not.toBe(first.dataHash);
  expect(changed.pipelineKey).not.toBe(first.pipelineKey);
  params({ extra: { place: ORIGIN } }, { sql: SQL.replaceAll('origin', 'place') });
  expect((await identity()).dataHash).not.toBe(first.dataHash);
  params({});
  expect(await identity()).not.toHaveProperty('dataHash');
});

test.each([
  ['../origin.csv', /^error: params.yaml: data.extra.origin must stay inside the project/],
  ['data/nowhere.csv', /^error: data\/nowhere.csv: there is no such file; correct data.extra.origin$/m],
  ['data/link.csv', /^error: params.yaml: data.extra.origin: data\/link.csv is a link that leads out/],
])('a table at %s is refused', async (file, message) => {
  symlinkSync(`${tmpdir()}/`, bench.path('data/link.csv'));
  params({ extra: { origin: file } }, { sql: SQL });
  expect(await refusal()).toMatch(message);
  await expect(identity()).rejects.toThrow(new RegExp(message.source.replace('^error: ', ''), 'm'));
});

test.each([
  [{ data: ORIGIN }, /data\.extra\.data is a name that is taken/],
  [{ Origin: ORIGIN, origin: ORIGIN }, /data\.extra\.origin is there twice/],
  [{ 'o"; DROP': ORIGIN }, /must be a table name/],
  [{ origin: 'data/*.csv' }, /must be a file or a directory/],
])('names that would not do: %j', async (extra, message) => {
  params({ extra }, { sql: SQL });
  await expect(loadParams(bench.dir, 'params.yaml')).rejects.toThrow(message);
});

test('a table that no query reads, and a query that reads what nobody declared, are told how to go on', async () => {
  params({ extra: { origin: ORIGIN } });
  expect(await refusal()).toMatch(/data\.extra is read by preprocess\.sql only/);
  params({}, { sql: SQL });
  expect(await refusal()).toContain('data: { extra: { origin: data/origin.csv } }');
  params({}, { sql: "SELECT * FROM read_csv('data/origin.csv')" });
  expect(await refusal()).toContain('data: { extra: {');
});

test('tables in other encodings, as JSON lines and as folders are read by the same rules', async () => {
  mkdirSync(bench.path('data/origin'));
  writeFileSync(bench.path('data/origin/a.json'), '\ufeff{"species": "setosa", "height": 1}\n');
  writeFileSync(bench.path('data/origin/b.json'), '{"species": "virginica", "height": 2}\n');
  params({ extra: { origin: 'data/origin' } }, { sql: SQL });
  expect(await preprocess()).toMatchObject({ metrics: { classes: 2, features: 5 } });
  writeFileSync(bench.path('data/origin/b.json'), '{"species": "virginica", \n');
  expect(await refusal()).toContain('data/origin/b.json');
});

judged('the real dvc knows the table as a dependency, and repeats preprocess when it changes', async () => {
  dvcInit(bench.dir);
  await bench.writePipeline();
  expect(bench.text('dvc.yaml')).toContain(`- ${ORIGIN}`);
  await dvcAside(bench.dir, 'repro');
  expect(await dvcAside(bench.dir, 'status')).toContain('Data and pipelines are up to date.');
  expect(bench.text('dvc.lock')).toContain(`path: ${ORIGIN}`);
  appendFileSync(bench.path(ORIGIN), 'another,4.5\n');
  expect(await dvcAside(bench.dir, 'status')).toMatch(/modified:\s+data\/origin\.csv/);
  expect(await dvcAside(bench.dir, 'repro')).toContain('preprocess: done');
});
