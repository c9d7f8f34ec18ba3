import { DuckDBInstance } from '@duckdb/node-api';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { RetrainError } from '../../../contracts/errors';
import { dataFiles } from '../../../ml/dataset/data-files';
import { CHANGING, FOREIGN, FOREIGN_PREFIX } from '../../../ml/dataset/duckdb/query-guard';
import { readDuckTable } from '../../../ml/dataset/duckdb/read-duck-table';
import { withDuckDb } from '../../../ml/dataset/duckdb/session';
import { type RawTable } from '../../../ml/dataset/raw-table';
import { type TableOptions } from '../../../ml/dataset/read-table';

const SECRET = 'hunter2-in-a-file';

let folder: string;
let spillDir: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'attacks-'));
  spillDir = join(folder, '.spill');
  mkdirSync(spillDir);
  writeFileSync(join(folder, '.env'), `PASSWORD=${SECRET}\n`);
  writeFileSync(join(folder, 'other.csv'), `a,y\n1,${SECRET}\n2,${SECRET}\n`);
  writeFileSync(join(folder, 'd.csv'), 'a,b,y\n1,10,x\n2,20,z\n3,30,x\n4,,z\n');
});
afterEach(() => rmSync(folder, { recursive: true }));

async function read(options: Partial<TableOptions>, signal?: AbortSignal): Promise<RawTable> {
  const files = await dataFiles(join(folder, 'd.csv'), 'd.csv');
  const choice = { target: 'y', drop: [], rename: {} };
  const all = {
    choice,
    allowMissing: true,
    ...options,
    spillDir,
    ...(signal === undefined ? {} : { signal }),
  };
  return (await readDuckTable(files, 'd.csv', all)).table;
}

async function refusal(options: Partial<TableOptions>): Promise<string> {
  const error = await read(options).then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(RetrainError);
  const { code, message } = error as RetrainError;
  expect(message).not.toMatch(/\n/);
  expect(message).not.toContain(SECRET);
  expect(message.length).toBeLessThan(500);
  return `${code} ${message}`;
}

const path = (name: string): string => join(folder, name).replaceAll("'", "''");

describe('preprocess.sql that only reads the declared tables (the attacks are in test/attacks)', () => {
  it.each([
    'SELECT * FROM data;',
    'SELECT a, y FROM data -- a note',
    'FROM data',
    'WITH t AS (SELECT * FROM data) SELECT t.a, t.y FROM t JOIN data USING (a) ORDER BY 1',
    'SELECT range AS a, y FROM range(3), data ORDER BY ALL',
    'SELECT a, y, lag(b) OVER (ORDER BY a) AS before, hash(a) % 10 AS draw FROM data ORDER BY a',
    'SELECT a, y, age FROM (SELECT a, y, b AS age FROM data) ORDER BY age NULLS LAST',
  ])('%s goes on working', async (sql) => {
    await expect(read({ sql })).resolves.toMatchObject({ file: 'd.csv' });
  });
});

describe('preprocess.filter is one condition', () => {
  it.each([
    "true) UNION ALL SELECT * FROM data; COPY data TO 'made'; --",
    '1) FROM data WHERE (1',
    'a > 1), (b > 1',
    "y IN (SELECT y FROM 'other.csv')",
    "(SELECT count(*) FROM read_text('.env')) > 0",
    'random() < 0.5',
    'a > 1 LIMIT 1',
    'y = current_date::VARCHAR',
  ])('%s is refused', async (filter) => {
    expect(await refusal({ filter })).toMatch(/^CONFIG_INVALID preprocess\.filter: /);
  });
});

describe('what differs from run to run is refused', () => {
  it.each([
    ...['random()', 'now()', 'NOW()', 'main.now()', 'today()', 'uuid()', 'gen_random_uuid()', 'current_date'],
    ...[
      'current_timestamp',
      'localtimestamp',
      'get_current_time()',
      "age(TIMESTAMP '2020-01-01')",
      'txid_current()',
    ],
    ...[
      'CURRENT_USER',
      'version()',
      'pg_postmaster_start_time()',
      'list_transform([1], lambda x: random())[1]',
    ],
  ])('%s', async (call) => {
    expect(await refusal({ sql: `SELECT *, ${call} AS c FROM data` })).toMatch(
      /^CONFIG_INVALID preprocess\.sql: uses /,
    );
  });

  it.each([
    'SELECT * FROM data USING SAMPLE 3',
    'SELECT * FROM data TABLESAMPLE 50%',
    'SELECT * FROM data ORDER BY random()',
  ])('%s', async (sql) => {
    expect(await refusal({ sql })).toMatch(/^CONFIG_INVALID preprocess\.sql: (takes a sample|uses random)/);
  });

  it('every function that DuckDB itself calls volatile is in the list', async () => {
    const instance = await DuckDBInstance.create(':memory:');
    const connection = await instance.connect();
    const found = await connection.runAndReadAll(
      "SELECT DISTINCT lower(function_name) FROM duckdb_functions() WHERE stability IN ('VOLATILE', 'CONSISTENT_WITHIN_QUERY')",
    );
    const names = found.getColumns()[0]?.map(String) ?? [];
    connection.closeSync();
    instance.closeSync();
    expect(names.length).toBeGreaterThan(15);
    expect(
      names.filter((name) => !CHANGING.has(name) && !FOREIGN.has(name) && !FOREIGN_PREFIX.test(name)),
    ).toEqual([]);
  });
});

test('the lock holds even for a statement that was not looked through', async () => {
  const data = join(folder, 'd.csv');
  await withDuckDb({ spillDir }, { anyQuery: true, paths: [data] }, async (connection) => {
    await expect(connection.run(`SELECT * FROM read_csv('${data}')`)).resolves.toBeDefined();
    for (const statement of [
      `SELECT * FROM read_text('${path('.env')}')`,
      `COPY (SELECT 1) TO '${path('made')}'`,
      `COPY (SELECT 1) TO '${data}'`,
      `ATTACH '${path('made')}' AS m`,
      'INSTALL httpfs',
      'SET enable_external_access = true',
      "SET memory_limit = '100GB'",
      "SET allowed_directories = ['/']",
      'RESET lock_configuration',
    ]) {
      await expect(connection.run(statement)).rejects.toThrow(/Permission|disabled|locked|configuration/i);
    }
  });
  expect(existsSync(join(folder, 'made'))).toBe(false);
});

describe('what a query takes is bounded', () => {
  it.each([
    ['a billion rows', "SELECT range AS a, 'x' AS y FROM range(1000000000)"],
    ['a product of the table with itself', 'SELECT a.a, a.y FROM data a, data b, range(100000000)'],
    ['lists without end', "SELECT list(range) AS a, 'x' AS y FROM range(200000000)"],
  ])('%s', async (_, sql) => {
    expect(await refusal({ sql, memoryBytes: 200 << 20 })).toMatch(/^DATA_TOO_LARGE .*RETRAIN_STAGE_MEMORY/);
    expect(readdirSync(spillDir)).toEqual([]);
  });

  it('a query that never ends is interrupted when the run is cancelled', async () => {
    const abort = new AbortController();
    const sql =
      'WITH RECURSIVE t AS (SELECT 1::BIGINT AS a UNION ALL SELECT a + 1 FROM t) SELECT count(*) AS a, 1 AS y FROM t';
    const reading = read({ sql }, abort.signal);
    setTimeout(() => abort.abort(), 200);
    await expect(reading).rejects.toThrow(/Interrupted/);
  });

  it('150 million rows in a small file are told by their number, before memory is taken for them', async () => {
    const block = gzipSync('1,x\n'.repeat(10_000_000));
    const bomb = Buffer.concat([gzipSync('a,y\n'), block, block, block]);
    writeFileSync(join(folder, 'd.csv'), bomb);
    const before = process.memoryUsage().rss;
    expect(await refusal({ memoryBytes: 256 << 20 })).toMatch(
      /^DATA_TOO_LARGE d\.csv: 2796203 rows or more of 2 columns; the 256 MiB that a stage may take have room for \d+; raise RETRAIN_STAGE_MEMORY/,
    );
    expect(await refusal({ memoryBytes: 1 << 20 })).toMatch(
      /^DATA_TOO_LARGE d\.csv: \d+ bytes expand to more than 32 MiB/,
    );
    expect(process.memoryUsage().rss - before).toBeLessThan(600 << 20);
  }, 60_000);
});

test('an error shows a bounded bit of a value, never a line of the file', async () => {
  const long = `${'s'.repeat(50)}-${SECRET}`;
  writeFileSync(join(folder, 'd.csv'), `a,y\n1,x\n${long},z\n`);
  expect(await refusal({ filter: 'a::INTEGER > 0' })).toMatch(
    /^CONFIG_INVALID preprocess\.filter: Conversion Error: .*s…/,
  );
  writeFileSync(join(folder, 'd.csv'), `{"a": 1, "y": "${SECRET}", ${SECRET}\n`);
  expect(await refusal({})).toMatch(/^DATA_INVALID d\.csv:1: is not JSON \(/);
});

test('a link as data is read as what the caller laid out, and no other path is', async () => {
  symlinkSync(join(folder, 'other.csv'), join(folder, 'link.csv'));
  expect(await refusal({ sql: `SELECT * FROM '${path('link.csv')}'` })).toMatch(/^CONFIG_INVALID/);
});
