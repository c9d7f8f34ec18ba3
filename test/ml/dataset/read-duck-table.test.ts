import { DuckDBInstance } from '@duckdb/node-api';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
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
  folder = mkdtempSync(join(tmpdir(), 'duck-'));
  spillDir = join(folder, '.spill');
  mkdirSync(spillDir);
});
afterEach(() => rmSync(folder, { recursive: true }));

const OPTIONS: TableOptions = {
  choice: { target: 'y', drop: [], rename: {} },
  allowMissing: true,
};

function write(name: string, content: string | Buffer): string {
  const path = join(folder, name);
  mkdirSync(join(path, '..'), { recursive: true });
  writeFileSync(path, content);
  return path;
}

async function byDuckDb(
  path: string,
  options: Partial<TableOptions> = {},
  file = 'd.csv',
): Promise<RawTable> {
  const { table } = await readDuckTable(await dataFiles(path, file), file, {
    ...OPTIONS,
    ...options,
    spillDir,
  });
  return table;
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

const PLAIN = 'a,b,y\n1,2.5,x\n-3,NA,z\n4e2, ,x\n';
const PLAIN_CELLS = { a: [1, -3, 400], b: [2.5, null, null], y: ['x', 'z', 'x'] };

describe('DuckDB and the CSV reader', () => {
  it.each([
    ['plain', PLAIN],
    ['CRLF', PLAIN.replaceAll('\n', '\r\n')],
    ['CR', PLAIN.replaceAll('\n', '\r')],
    ['mixed line ends', 'a,b,y\n1,2.5,x\r\n-3,NA,z\n4e2, ,x\r\n'],
    ['a byte order mark', `\ufeff${PLAIN}`],
    ['blank lines', `a,b,y\n\n1,2.5,x\n-3,NA,z\n\n4e2, ,x\n\n`],
    ['quotes', '"a","b","y"\n"1","2.5","x"\n"-3","NA","z"\n"4e2"," ","x"\n'],
    ['blanks', ' a , b,y \n 1 , 2.5 , x\n-3,NA ,z \n 4e2,, x\n'],
  ])('read the same table: %s', async (_, text) => {
    const path = write('d.csv', text);
    expect(cells(await byDuckDb(path))).toEqual(PLAIN_CELLS);
    const { table } = await readCsvTable([{ source: path, file: 'd.csv' }], 'd.csv', OPTIONS);
    expect(cells(table)).toEqual(PLAIN_CELLS);
  });

  it.each([
    ['short row', 'a,b,y\n1,2,x\n1,x\n'],
    ['long row', 'a,b,y\n1,2,x,9\n'],
    ['text among numbers', 'a,b,y\n1,2,x\n1,tall,x\n'],
    ['an infinity', 'a,y\n1,x\n-inf,x\n'],
    ['a number past float32', 'a,y\n1e308,x\n'],
    ['a number past float64', 'a,y\n1e999,x\n'],
    ['a missing label', 'a,y\n1,x\n2,\n'],
    ['a missing target column', 'a,b,c\n1,2,x\n'],
    ['a header only', 'a,b,y\n'],
    ['a quote left open', 'a,y\n1,"x\n2,z\n'],
    ['Latin-1', Buffer.from('a,y\n1,x\n2,caf\xe9\n', 'latin1')],
    ['a NUL byte', 'a,y\n1,x\n1,\0x\n'],
    ['an error past quoted line breaks', 'a,y\r\n1,"two\r\nlines"\r\n\r\nbad,x\r\n'],
    ['an error after 100,000 rows', `a,y\n${'1,x\n'.repeat(100_000)}tall,x\n`],
  ])('say the same of %s', async (_, text) => {
    const path = write('d.csv', text);
    const expected = await problem(readCsvTable([{ source: path, file: 'd.csv' }], 'd.csv', OPTIONS));
    expect(await problem(byDuckDb(path))).toBe(expected);
    const zipped = write('zipped', gzipSync(text));
    expect(await problem(byDuckDb(zipped))).toBe(expected);
  });
});

describe('other formats', () => {
  it('gzip', async () => {
    expect(cells(await byDuckDb(write('d.csv.gz', gzipSync(PLAIN))))).toEqual(PLAIN_CELLS);
  });

  it('JSON lines, whose keys may come in any order or be missing', async () => {
    const path = write('d.jsonl', '{"a":1,"b":2.5,"y":"x"}\n{"y":"z","b":null,"a":-3}\n{"a":400,"y":"x"}\n');
    expect(cells(await byDuckDb(path, {}, 'd.jsonl'))).toEqual(PLAIN_CELLS);
    await expect(checkColumns(path, 'd.jsonl', OPTIONS.choice)).resolves.toEqual(['a', 'b', 'y']);
  });

  it.each([
    ['{"a":,}', 'd.jsonl:3: is not JSON ('],
    ['{"a":3,"y"', 'd.jsonl:3: is not JSON ('],
    ['[3, "x"]', 'd.jsonl:3: is a list, expected one JSON object a line'],
  ])('broken JSON lines, with the line: %s', async (line, message) => {
    const path = write('d.jsonl', `{"a":1,"y":"x"}\n{"a":2,"y":"x"}\n${line}\n{"a":4,"y":"x"}\n`);
    expect(await problem(byDuckDb(path, {}, 'd.jsonl'))).toContain(`DATA_INVALID ${message}`);
  });

  it('Parquet as others write it, and its columns without reading it', async () => {
    const path = join(folder, 'd.parquet');
    const db = await DuckDBInstance.create(':memory:');
    const connection = await db.connect();
    await connection.run(
      `COPY (SELECT * FROM (VALUES (1::INTEGER, 2.5::DECIMAL(4,1), 'x'), (-3, NULL, 'z'), (400, NULL, 'x')) t(a, b, y)) TO '${path}' (FORMAT parquet, COMPRESSION zstd)`,
    );
    connection.closeSync();
    db.closeSync();
    expect(cells(await byDuckDb(path, {}, 'd.parquet'))).toEqual(PLAIN_CELLS);
    await expect(checkColumns(path, 'd.parquet', OPTIONS.choice)).resolves.toEqual(['a', 'b', 'y']);
  });

  it('text in a number column of JSON lines, with the row', async () => {
    const path = write('d.jsonl', '{"a":1,"y":"x"}\n{"a":"tall","y":"x"}\n');
    expect(await problem(byDuckDb(path, {}, 'd.jsonl'))).toBe(
      'DATA_INVALID d.jsonl: row 2, column "a": the value is text or infinite, expected a number; encode the column (preprocess.encode) or drop it',
    );
  });
});

describe('a directory', () => {
  it('is one table, its files in order of their names', async () => {
    write('data/b.csv', 'a,y\n3,z\n');
    write('data/a.csv', 'a,y\n1,x\n2,x\n');
    write('data/sub/c.csv.gz', gzipSync('a,y\n4,z\n'));
    write('data/.hidden', 'not a table');
    // Several times: threads take the files side by side.
    for (let time = 0; time < 10; time++) {
      const table = await byDuckDb(join(folder, 'data'), {}, 'data');
      expect(cells(table)).toEqual({ a: [1, 2, 3, 4], y: ['x', 'x', 'z', 'z'] });
    }
  });

  it('with different columns says which file and which column', async () => {
    write('data/a.csv', 'a,y\n1,x\n');
    write('data/b.csv', 'b,y\n1,x\n');
    expect(await problem(byDuckDb(join(folder, 'data'), {}, 'data'))).toBe(
      'DATA_INVALID data/b.csv:1: column 1 is "b", expected "a" as in data/a.csv',
    );
  });

  it('names the file in which a cell is wrong', async () => {
    write('data/a.csv', 'a,y\n1,x\n');
    write('data/b.csv', 'a,y\n1,x\ntall,x\n');
    expect(await problem(byDuckDb(join(folder, 'data'), {}, 'data'))).toContain(
      'data/b.csv:3: column "a": "tall"',
    );
  });

  it('that is empty or of mixed formats is refused', async () => {
    mkdirSync(join(folder, 'data'));
    expect(await problem(dataFiles(join(folder, 'data'), 'data'))).toContain(
      'DATA_INVALID data: the directory holds no file',
    );
    write('data/a.csv', 'a,y\n1,x\n');
    write('data/b.jsonl', '{"a":1}\n');
    expect(await problem(dataFiles(join(folder, 'data'), 'data'))).toContain(
      'data/b.jsonl: is json-lines, but data/a.csv is csv',
    );
    expect(await problem(dataFiles(join(folder, 'none'), 'none'))).toContain(
      'DATA_NOT_FOUND none: there is no such file',
    );
  });
});

describe('filter and SQL', () => {
  const text = 'a,b,y\n1,10,x\n2,20,z\n3,30,x\n4,,z\n';

  it('a filter keeps rows and their numbers', async () => {
    const table = await byDuckDb(write('d.csv', text), { filter: 'b >= 20' });
    expect(cells(table)).toEqual({ a: [2, 3], b: [20, 30], y: ['z', 'x'] });
    expect([...(table.rowNumbers ?? [])]).toEqual([2, 3]);
  });

  it('a filter that DuckDB makes a join of keeps the order', async () => {
    const rows = Array.from({ length: 400_000 }, (_, i) => `${i},${i % 12},${i % 2 === 0 ? 'x' : 'z'}`);
    const path = write('d.csv', `a,b,y\n${rows.join('\n')}\n`);
    const table = await byDuckDb(path, { filter: 'b IN (0, 1, 2, 3, 5, 7, 11)' });
    const numbers = [...(table.rowNumbers ?? [])];
    expect(numbers).toHaveLength(233_335);
    expect(numbers.every((number, i) => i === 0 || number > (numbers[i - 1] ?? 0))).toBe(true);
  });

  it('a query makes the table', async () => {
    const sql = 'SELECT y, sum(b) AS total, count(*) AS n FROM data GROUP BY y ORDER BY y -- per label';
    const table = await byDuckDb(write('d.csv', text), { sql });
    expect(cells(table)).toEqual({ y: ['x', 'z'], total: [40, 20], n: [2, 2] });
  });

  it.each([
    ['preprocess.filter', { filter: 'bee > 1' }],
    ['preprocess.filter', { filter: 'b >' }],
    ['preprocess.sql', { sql: 'SELECT nothing FROM data' }],
    ['preprocess.sql', { sql: 'SELECT 1; DROP VIEW data' }],
  ])('a wrong %s is the config’s fault: %j', async (key, options) => {
    expect(await problem(byDuckDb(write('d.csv', text), options))).toMatch(
      new RegExp(`^CONFIG_INVALID ${key}: `),
    );
  });

  it('a filter that keeps nothing says so', async () => {
    expect(await problem(byDuckDb(write('d.csv', text), { filter: 'b > 99' }))).toContain('keeps no row');
  });
});

it('gives the same table whatever the number of rows per chunk or thread', async () => {
  const rows = Array.from(
    { length: 60_000 },
    (_, i) => `${i},${i % 97 === 0 ? '' : (i * 7) % 1000},${'xyz'[i % 3]}`,
  );
  const path = write('d.csv', `a,b,y\n${rows.join('\n')}\n`);
  const [first] = await dataFiles(path, 'd.csv');
  const { table } = await readCsvTable([{ source: openDataFile(first!), file: 'd.csv' }], 'd.csv', OPTIONS);
  expect(await byDuckDb(path)).toEqual(table);
});

test('texts of any length and number are told apart, also those that share a place in the table of short ones', async () => {
  const made = (row: number): string | null => {
    const n = (row * 7919) % 20_011;
    if (n % 17 === 0) return null;
    // Up to 12 bytes DuckDB keeps a text in its place, beyond that elsewhere.
    return ['', 'é', 'exactly-', 'somewhat longer '][n % 4] + String(n % 9000);
  };
  const rows = Array.from({ length: 30_000 }, (_, row) => made(row));
  const lines = rows.map(
    (text, row) => `${text === null ? ['NA', '', ' null '][row % 3] : ` ${text} `},${row % 2}`,
  );
  const path = write('t.csv', `t,y\n${lines.join('\n')}\n`);
  const choice = { ...OPTIONS.choice, encode: ['t'] };
  // A filter, so that DuckDB's reading cannot be replaced by another.
  const table = await byDuckDb(path, { choice, filter: 'true' });
  expect(cells(table)['t']).toEqual(rows);
});
