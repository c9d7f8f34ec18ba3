import { DuckDBInstance } from '@duckdb/node-api';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { InProcessExecutor } from '../../stages/in-process';
import { CompiledStages, StageFolder } from './stage-folder';

const CITIES = ['Oslo', 'Ōsaka', 'New York, NY'];
const ROWS = Array.from({ length: 80 }, (_, row) => ({
  id: row,
  size: row % 7 === 0 ? null : row / 8,
  city: row % 11 === 0 ? null : (CITIES[row % 3] ?? ''),
  y: row % 2 === 0 ? 'good' : 'bad',
}));
const HEADER = 'id,size,city,y';

const csvOf = (rows: typeof ROWS): string =>
  [HEADER, ...rows.map(({ id, size, city, y }) => `${id},${size ?? 'NA'},"${city ?? ''}",${y}`), ''].join(
    '\n',
  );

let compiled: CompiledStages;
let executor: InProcessExecutor;
let made: string;
const folders: StageFolder[] = [];
let expected: Record<string, string>;

const OUTPUTS = ['train.parquet', 'test.parquet', 'schema.json', 'profile.json', 'metrics.json'];

/** What preprocess leaves of the data, by name. */
async function outputsOf(
  path: string,
  place: (folder: StageFolder) => void,
  changes: object = {},
): Promise<Record<string, string>> {
  const folder = new StageFolder({
    data: { path, target: 'y', ...changes },
    preprocess: { drop: ['id'], encode: { city: 'one-hot' } },
    task: 'classification',
  });
  folders.push(folder);
  place(folder);
  await executor.run('preprocess', folder.dir);
  return Object.fromEntries(OUTPUTS.map((name) => [name, folder.bytes(name).toString('latin1')]));
}

const file =
  (bytes: string | Buffer) =>
  (folder: StageFolder): void =>
    writeFileSync(join(folder.dir, 'in/data'), bytes);

const directory =
  (content: Record<string, string>) =>
  (folder: StageFolder): void => {
    for (const [name, text] of Object.entries(content)) {
      const path = join(folder.dir, 'in/data', name);
      mkdirSync(join(path, '..'), { recursive: true });
      writeFileSync(path, text);
    }
  };

/** The rows as DuckDB writes them. */
async function written(name: string, options: string): Promise<Buffer> {
  const [from, to] = [join(made, 'rows.csv'), join(made, name)];
  writeFileSync(from, csvOf(ROWS));
  const instance = await DuckDBInstance.create(':memory:');
  const connection = await instance.connect();
  const scan = `read_csv('${from}', header = true, nullstr = ['NA', ''], all_varchar = false)`;
  await connection.run(`COPY (SELECT * FROM ${scan}) TO '${to}' (${options})`);
  connection.closeSync();
  instance.closeSync();
  return readFileSync(to);
}

beforeAll(async () => {
  made = mkdtempSync(join(tmpdir(), 'formats-'));
  compiled = new CompiledStages();
  executor = new InProcessExecutor({ threadEntry: compiled.threadEntry, threads: 1 });
  expected = await outputsOf('rows.csv', file(csvOf(ROWS)));
});

afterAll(async () => {
  await executor.close();
  compiled.remove();
  for (const folder of folders) folder.remove();
  rmSync(made, { recursive: true });
});

describe('the same rows leave the same bytes, as', () => {
  test('CSV in gzip', async () => {
    expect(await outputsOf('rows.csv.gz', file(gzipSync(csvOf(ROWS))))).toEqual(expected);
  });

  test('Parquet', async () => {
    expect(await outputsOf('rows.parquet', file(await written('a.parquet', 'FORMAT parquet')))).toEqual(
      expected,
    );
  });

  test('JSON lines, also in gzip', async () => {
    const lines = await written('a.jsonl', 'FORMAT json');
    expect(await outputsOf('rows.jsonl', file(lines))).toEqual(expected);
    expect(await outputsOf('rows.jsonl.gz', file(gzipSync(lines)))).toEqual(expected);
  });

  test('a directory of files', async () => {
    const parts = { 'a.csv': csvOf(ROWS.slice(0, 30)), 'b.csv': csvOf(ROWS.slice(30)) };
    expect(await outputsOf('data', directory(parts))).toEqual(expected);
  });

  test.each(['*.csv', '2024-*/part-?.csv', '**/*.csv'])(
    'the files of a directory that fit %s',
    async (pattern) => {
      const folder = pattern === '*.csv' ? '' : '2024-05/';
      const content = {
        [`${folder}part-1.csv`]: csvOf(ROWS.slice(0, 30)),
        [`${folder}part-2.csv`]: csvOf(ROWS.slice(30)),
        [`${folder}notes.txt`]: 'not, a table\n',
        'README.md': '# What is here\n',
      };
      expect(await outputsOf(`data/${pattern}`, directory(content))).toEqual(expected);
      expect(await outputsOf('data', directory(content), { files: pattern })).toEqual(expected);
    },
  );
});

test('a pattern that no file fits says which files there are', async () => {
  await expect(
    outputsOf('data/*.parquet', directory({ 'a.csv': csvOf(ROWS), 'b.csv': csvOf(ROWS) })),
  ).rejects.toMatchObject({
    code: 'DATA_NOT_FOUND',
    message: 'data/*.parquet: none of the 2 files fits this pattern; there are a.csv, b.csv',
  });
  await expect(outputsOf('rows.csv', file(csvOf(ROWS)), { files: '*.csv' })).rejects.toMatchObject({
    code: 'DATA_INVALID',
    message: 'rows.csv: is a file, and data.files (*.csv) chooses among those of a directory',
  });
});
