import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { dataFiles } from '../../ml/dataset/data-files';
import { readDuckTable } from '../../ml/dataset/duckdb/read-duck-table';
import { type Attack, describeAttacks } from './attack';

const SECRET = 'hunter2-in-a-file';

const folder = mkdtempSync(join(tmpdir(), 'sql-attacks-'));
const spillDir = join(folder, '.spill');
beforeAll(() => {
  mkdirSync(spillDir);
  writeFileSync(join(folder, '.env'), `PASSWORD=${SECRET}\n`);
  writeFileSync(join(folder, 'other.csv'), `a,y\n1,${SECRET}\n2,${SECRET}\n`);
  writeFileSync(join(folder, 'd.csv'), 'a,b,y\n1,10,x\n2,20,z\n3,30,x\n4,,z\n');
});
afterAll(() => rmSync(folder, { recursive: true }));

const path = (name: string): string => join(folder, name).replaceAll("'", "''");

/** As the stage reads its data, with SQL of params.yaml. */
async function read(sql: string): Promise<unknown> {
  const choice = { target: 'y', drop: [], rename: {} };
  const files = await dataFiles(join(folder, 'd.csv'), 'd.csv');
  return (await readDuckTable(files, 'd.csv', { choice, allowMissing: true, sql, spillDir })).table;
}

const QUERIES: readonly (readonly [string, () => string])[] = [
  [
    'leaves the brackets and writes a file',
    () => `SELECT * FROM data); COPY (SELECT 1) TO '${path('made')}'; --`,
  ],
  ['is a COPY', () => `COPY data TO '${path('made')}'`],
  ['is two statements', () => `SELECT * FROM data; COPY data TO '${path('made')}'`],
  ['attaches a database', () => `ATTACH '${path('made')}' AS m`],
  ['exports', () => `EXPORT DATABASE '${path('made')}'`],
  ['installs an extension', () => 'INSTALL httpfs'],
  ['loads an extension', () => `LOAD '${path('made')}'`],
  ['sets an option', () => 'SET enable_external_access = true'],
  ['calls a pragma', () => 'PRAGMA database_list'],
  ['reads .env as text', () => `SELECT content AS y, 1 AS a FROM read_text('${path('.env')}')`],
  ['reads .env as bytes', () => `SELECT content AS y, 1 AS a FROM read_blob('${path('.env')}')`],
  ['reads another CSV by a function', () => `SELECT * FROM read_csv('${path('other.csv')}')`],
  ['reads another CSV by its name', () => `SELECT * FROM '${path('other.csv')}'`],
  ['reads another CSV under a quoted name', () => `SELECT * FROM "${path('other.csv')}"`],
  ['reads it in a subquery', () => `SELECT * FROM data WHERE y IN (SELECT y FROM '${path('other.csv')}')`],
  [
    'reads it by a lateral join',
    () => `SELECT d.* FROM data d, LATERAL (SELECT * FROM read_csv('${path('other.csv')}'))`,
  ],
  [
    'names a table of its own after a file',
    () =>
      `WITH "${path('other.csv')}" AS (SELECT 1 AS a, 'x' AS y) SELECT * FROM read_csv_auto('${path('other.csv')}')`,
  ],
  ['lists files', () => `SELECT file AS y, 1 AS a FROM glob('${path('*')}')`],
  ['reads by query()', () => `SELECT * FROM query('SELECT * FROM read_csv(''${path('other.csv')}'')')`],
  ['reads by query_table()', () => `SELECT * FROM query_table('${path('other.csv')}')`],
  ['sniffs a file', () => `SELECT * FROM sniff_csv('${path('.env')}')`],
  ['reads the web', () => "SELECT * FROM 'http://127.0.0.1:1/x.csv'"],
  ['reads the catalogue', () => 'SELECT * FROM information_schema.tables'],
  ['reads the settings', () => 'SELECT name AS y, 1 AS a FROM duckdb_settings()'],
  ['reads a setting', () => "SELECT *, current_setting('temp_directory') AS t FROM data"],
  ['reads the environment', () => "SELECT *, getenv('HOME') AS t FROM data"],
  ['describes', () => 'DESCRIBE data'],
  ['nests ten thousand brackets', () => `SELECT ${'('.repeat(10_000)}1${')'.repeat(10_000)} AS a, 'x' AS y`],
];

const ATTACKS = QUERIES.map(([name, sql]): Attack => ({
  name,
  attempt: () => read(sql()),
  code: 'CONFIG_INVALID',
  says: /^preprocess\.sql: .{1,480}$/,
  hides: new RegExp(SECRET),
}));

describeAttacks('whoever writes preprocess.sql brings a query that', ATTACKS, async () => {
  expect(existsSync(join(folder, 'made'))).toBe(false);
  await expect(read('SELECT * FROM data')).resolves.toMatchObject({ rows: 4 });
});
