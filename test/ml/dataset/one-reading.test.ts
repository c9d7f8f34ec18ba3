import fc from 'fast-check';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { DuckDBInstance } from '@duckdb/node-api';
import { RetrainError } from '../../../contracts/errors';
import { dataFiles, openDataFile } from '../../../ml/dataset/data-files';
import { readDuckTable } from '../../../ml/dataset/duckdb/read-duck-table';
import { checkColumns } from '../../../ml/dataset/header';
import { type RawTable, textAt } from '../../../ml/dataset/raw-table';
import { readCsvTable } from '../../../ml/dataset/read-csv-table';
import { type TableOptions } from '../../../ml/dataset/read-table';

let folder: string;
let spillDir: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'one-reading-'));
  spillDir = join(folder, '.spill');
  mkdirSync(spillDir);
});
afterEach(() => rmSync(folder, { recursive: true }));

const OPTIONS: TableOptions = { choice: { target: 'y', drop: [], rename: {} }, allowMissing: true };

function write(name: string, content: string | Buffer): string {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
}

async function byDuckDb(path: string, options: Partial<TableOptions> = {}): Promise<RawTable> {
  const file = path.slice(folder.length + 1);
  const all = { ...OPTIONS, ...options };
  return (await readDuckTable(await dataFiles(path, file), file, { ...all, spillDir })).table;
}

async function byCsvReader(path: string, options: Partial<TableOptions> = {}): Promise<RawTable> {
  const file = path.slice(folder.length + 1);
  const [data] = await dataFiles(path, file);
  const input = { source: openDataFile(data!), file };
  return (await readCsvTable([input], file, { ...OPTIONS, ...options })).table;
}

/** Columns as plain lists, missing values as null. */
function cells(table: RawTable): Record<string, (number | string | null)[]> {
  return Object.fromEntries(
    table.columns.map((column) => [
      column.name,
      Array.from({ length: table.rows }, (_, row) => {
        if (column.kind === 'text') return textAt(column, row) ?? null;
        const value = column.values[row] ?? Number.NaN;
        return Number.isNaN(value) ? null : value;
      }),
    ]),
  );
}

/** The table, or the code of the error. */
const outcome = (reading: Promise<RawTable>): Promise<unknown> =>
  reading.then(cells, (error: unknown) => (error instanceof RetrainError ? error.code : error));

async function problem(reading: Promise<unknown>): Promise<string> {
  const error = await reading.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(RetrainError);
  const { code, message } = error as RetrainError;
  expect(message).not.toContain('\n');
  return `${code} ${message}`;
}

describe('a filter or query that keeps every row changes nothing', () => {
  it.each([
    ['classes yes and no', 'a,y\n1,yes\n2,no\n3,yes\n', []],
    ['classes True and False', 'a,y\n1,True\n2,False\n', []],
    ['classes T and F', 'a,y\n1,T\n2,F\n', []],
    ['classes with trailing zeros', 'a,y\n1,1.50\n2,2.0\n', []],
    ['classes with leading zeros', 'a,y\n1,007\n2,7\n', []],
    ['classes that are plain integers', 'a,y\n1,0\n2,1\n', []],
    ['levels that look like dates', 'a,t,y\n1,05/01/2024,x\n2,2024-01-05T00:00:00Z,z\n', ['t']],
    ['levels that look like ISO dates', 'a,t,y\n1,2024-01-05,x\n2,2024-1-5,z\n', ['t']],
    ['levels with trailing zeros', 'a,t,y\n1,1.50,x\n2,1e3,z\n', ['t']],
    ['levels beyond 64 bits', 'a,t,y\n1,9223372036854775808,x\n2,1,z\n', ['t']],
    ['truth values as numbers', 'a,y\nTrue,x\nFALSE,z\n,z\n', []],
    ['blanks around missing words', 'a,y\n NA ,x\n 2 ,z\n', []],
  ])('%s', async (_, text, encode) => {
    const path = write('d.csv', text);
    const choice = { ...OPTIONS.choice, encode };
    const expected = cells(await byCsvReader(path, { choice }));
    expect(cells(await byDuckDb(path, { choice }))).toEqual(expected);
    expect(cells(await byDuckDb(path, { choice, filter: 'true' }))).toEqual(expected);
    expect(cells(await byDuckDb(path, { choice, sql: 'SELECT * FROM data' }))).toEqual(expected);
    expect(cells(await byDuckDb(write('d.csv.gz', gzipSync(text)), { choice }))).toEqual(expected);
  });

  const cell = fc.oneof(
    fc.constantFrom(
      '',
      'NA',
      ' nan ',
      'None',
      'True',
      'false',
      'yes',
      'T',
      '1_000',
      '0x1F',
      '1e3',
      '.5',
      '5.',
    ),
    fc.constantFrom(
      'inf',
      '-Infinity',
      '1e400',
      '007',
      '1.50',
      '-0',
      '+3',
      '2024-01-05',
      '12:30',
      'Na',
      'é',
      '１',
    ),
    fc.double({ noNaN: true }).map(String),
    fc.stringMatching(/^[\w .+-]{0,14}$/),
  );

  it('whatever the cells are: all readers give one table, or refuse it', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.tuple(cell, cell, cell), { minLength: 1, maxLength: 8 }), async (rows) => {
        const text = ['a,t,y', ...rows.map(([a, t, y]) => `${a},"${t}",${y}`), ''].join('\n');
        const path = write('d.csv', text);
        const choice = { ...OPTIONS.choice, encode: ['t'] };
        const expected = await outcome(byCsvReader(path, { choice }));
        expect(await outcome(byDuckDb(path, { choice }))).toEqual(expected);
        expect(await outcome(byDuckDb(path, { choice, filter: 'true' }))).toEqual(expected);
      }),
      { numRuns: 60 },
    );
  });
});

test('a filter may compare numbers, dates and truth values of any column', async () => {
  const path = write('d.csv', 'n,d,b,y\n1.50,2024-01-05,True,1\n2,2024-06-01,False,0\n3,2025-01-01,True,1\n');
  const options = { choice: { ...OPTIONS.choice, drop: ['d', 'b'] } };
  const rows = async (filter: string): Promise<unknown> =>
    cells(await byDuckDb(path, { ...options, filter }))['n'];
  expect(await rows("n > 1.5 AND d < DATE '2025-01-01'")).toEqual([2]);
  expect(await rows("b = 'True' AND y = 1")).toEqual([1.5, 3]);
});

test('missing values are the words that data.missing lists, in every reader', async () => {
  const text = 'a,t,y\n1,NA,none\n-9,x,NA\n?,,ja\n';
  const path = write('d.csv', text);
  const options = { choice: { ...OPTIONS.choice, encode: ['t'] }, missing: ['', '-9', '?'] };
  const expected = { a: [1, null, null], t: ['NA', 'x', null], y: ['none', 'NA', 'ja'] };
  expect(cells(await byCsvReader(path, options))).toEqual(expected);
  expect(cells(await byDuckDb(path, options))).toEqual(expected);
  expect(cells(await byDuckDb(path, { ...options, filter: 'true' }))).toEqual(expected);
  const nan = write('n.csv', 'a,y\nnan,x\n1,z\n');
  expect(await problem(byDuckDb(nan, { missing: [''] }))).toContain('n.csv:2: column "a": "nan" is text');
});

describe('CSV as others write it', () => {
  const rows = 'a;t;y\n1,5;"x;z";ja\n-2,25;"it\'s";n\u00e9\n';
  const choice = { ...OPTIONS.choice, encode: ['t'] };
  const expected = { a: [1.5, -2.25], t: ['x;z', "it's"], y: ['ja', 'n\u00e9'] };
  const utf16 = Buffer.concat([Buffer.from([0xff, 0xfe]), Buffer.from(rows, 'utf16le')]);

  it.each([
    ['semicolons and decimal commas', Buffer.from(rows), {}],
    ['latin-1', Buffer.from(rows, 'latin1'), { encoding: 'latin-1' as const }],
    ['windows-1252', Buffer.from(rows, 'latin1'), { encoding: 'windows-1252' as const }],
    ['UTF-16', utf16, { encoding: 'utf-16' as const }],
  ])('%s', async (_, bytes, more) => {
    const options = { choice, csv: { separator: ';', decimal: ',' as const, ...more } };
    const path = write('d.csv', bytes);
    expect(cells(await byCsvReader(path, options))).toEqual(expected);
    expect(cells(await byDuckDb(path, options))).toEqual(expected);
    expect(cells(await byDuckDb(path, { ...options, filter: 'a < 100' }))).toEqual(expected);
    const query = { ...options, sql: 'SELECT a, t, y FROM data WHERE a > -100 ORDER BY a DESC' };
    expect(cells(await byDuckDb(write('d.csv.gz', gzipSync(bytes)), query))).toEqual(expected);
    await expect(checkColumns(path, 'd.csv', choice, undefined, options)).resolves.toEqual(['a', 't', 'y']);
  });

  it('proposes the separator and the encoding that a file looks like', async () => {
    expect(await problem(byDuckDb(write('s.csv', rows)))).toContain(
      'its cells are separated by ";": say so (data.csv: { separator: ";" })',
    );
    const latin = write('l.csv', Buffer.from('a,y\n1,n\u00e9\n', 'latin1'));
    expect(await problem(byDuckDb(latin))).toContain('data.csv: { encoding: latin-1 }');
    expect(await problem(byDuckDb(write('u.csv', utf16)))).toContain('data.csv: { encoding: utf-16 }');
  });

  it('a gzip file that was cut off is named, wherever the cut is', async () => {
    const whole = gzipSync(`a,y\n${Array.from({ length: 20_000 }, (_, i) => `${i * 7919},x\n`).join('')}`);
    for (const left of [12, 200, whole.length >> 1, whole.length - 9, whole.length - 1]) {
      const path = write('d.csv.gz', whole.subarray(0, left));
      expect(await problem(byDuckDb(path))).toBe(
        'DATA_INVALID d.csv.gz: is cut off: the gzip file has no end; get or write it again',
      );
      expect(await problem(byDuckDb(path, { filter: 'true' }))).toContain('d.csv.gz: is cut off');
    }
    const broken = Buffer.from(whole);
    broken.fill(0x55, 300, 340);
    expect(await problem(byDuckDb(write('d.csv.gz', broken)))).toContain('d.csv.gz: is damaged');
  });
});

describe('JSON', () => {
  it('lines: the columns are those of all lines', async () => {
    const path = write('d.jsonl', '{"y":"x"}\n{"a":1,"y":"z"}\n{"b":2.5,"a":3,"y":"x"}\n');
    const expected = { y: ['x', 'z', 'x'], a: [null, 1, 3], b: [null, null, 2.5] };
    expect(cells(await byDuckDb(path))).toEqual(expected);
    expect(cells(await byDuckDb(path, { filter: 'true' }))).toEqual(expected);
    await expect(checkColumns(path, 'd.jsonl', OPTIONS.choice)).resolves.toEqual(['y', 'a', 'b']);
  });

  it('lines with a byte order mark, and a JSON array', async () => {
    const expected = { a: [1, 2], y: ['x', 'z'] };
    const lines = '{"a":1,"y":"x"}\n{"a":2,"y":"z"}\n';
    expect(cells(await byDuckDb(write('b.jsonl', `\ufeff${lines}`)))).toEqual(expected);
    expect(cells(await byDuckDb(write('b.jsonl.gz', gzipSync(`\ufeff${lines}`))))).toEqual(expected);
    const array = write('a.json', ' [\n {"a":1,"y":"x"},\n {"y":"z","a":2}\n]\n');
    expect(cells(await byDuckDb(array))).toEqual(expected);
    await expect(checkColumns(array, 'a.json', OPTIONS.choice)).resolves.toEqual(['a', 'y']);
  });

  it('texts stay as they are, numbers and truth values are numbers', async () => {
    const path = write(
      'd.jsonl',
      '{"a":true,"t":"1.50","y":"yes"}\n{"a":2,"t":"2024-01-05T00:00:00Z","y":"no"}\n{"a":"3","t":"NA","y":"no"}\n',
    );
    const options = { choice: { ...OPTIONS.choice, encode: ['t'] } };
    const expected = { a: [1, 2, 3], t: ['1.50', '2024-01-05T00:00:00Z', null], y: ['yes', 'no', 'no'] };
    expect(cells(await byDuckDb(path, options))).toEqual(expected);
    expect(cells(await byDuckDb(path, { ...options, filter: 'true' }))).toEqual(expected);
  });
});

test('an index that pandas wrote into Parquet is refused, as in CSV, unless params.yaml says what it is', async () => {
  const path = join(folder, 'd.parquet');
  const metadata = JSON.stringify({ index_columns: ['__index_level_0__'], columns: [] });
  const db = await DuckDBInstance.create(':memory:');
  const connection = await db.connect();
  await connection.run(
    `COPY (SELECT i % 7 AS a, 'x' || i % 2 AS y, i AS __index_level_0__ FROM range(20) t(i)) TO '${path}' (FORMAT parquet, KV_METADATA {pandas: '${metadata}'})`,
  );
  connection.closeSync();
  db.closeSync();
  const message =
    'd.parquet:1: column "__index_level_0__" is the row index that pandas wrote; drop it (preprocess.drop: [__index_level_0__])';
  expect(await problem(byDuckDb(path))).toContain(message);
  expect(await problem(checkColumns(path, 'd.parquet', OPTIONS.choice))).toContain(message);
  const dropped = { ...OPTIONS.choice, drop: ['__index_level_0__'] };
  expect(Object.keys(cells(await byDuckDb(path, { choice: dropped })))).toEqual(['a', 'y']);
  const renamed = { ...OPTIONS.choice, rename: { __index_level_0__: 'day' } };
  expect(Object.keys(cells(await byDuckDb(path, { choice: renamed })))).toEqual(['a', 'y', 'day']);
});

test('a note beside the data is told with the line that leaves it out', async () => {
  mkdirSync(join(folder, 'data'));
  write('data/README.md', '# What is here\n');
  write('data/a.jsonl', '{"a":1,"y":"x"}\n');
  const message =
    "DATA_INVALID data/README.md: is no table, and all files of a directory are read; choose among them: data: { files: '**/*.jsonl' }";
  expect(await problem(dataFiles(join(folder, 'data'), 'data'))).toBe(message);
  expect(await problem(checkColumns(join(folder, 'data'), 'data', OPTIONS.choice))).toBe(message);
  await expect(dataFiles(join(folder, 'data'), 'data', '**/*.jsonl')).resolves.toHaveLength(1);
});
