import { DuckDBInstance } from '@duckdb/node-api';
import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type ParquetColumn } from '../../../ml/dataset/parquet/format';
import { readParquet } from '../../../ml/dataset/parquet/read-parquet';
import { writeParquet } from '../../../ml/dataset/parquet/write-parquet';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'parquet-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

const columns = (rows: number): ParquetColumn[] => [
  {
    name: 'a',
    type: 'float',
    values: Float32Array.from({ length: rows }, (_, i) => (i % 7 === 3 ? Number.NaN : i / 3)),
  },
  { name: 'b, "ü"', type: 'double', values: Float64Array.from({ length: rows }, (_, i) => i * Math.PI) },
  {
    name: 'text',
    type: 'text',
    values: Array.from({ length: rows }, (_, i) => (i % 11 === 5 ? null : i % 5 === 0 ? '' : `é🙂${i % 3}`)),
  },
];

describe('our Parquet files', () => {
  it.each([0, 1, 150, 270_000])('of %d rows read back as they were', (rows) => {
    const path = join(folder, `${rows}.parquet`);
    writeParquet(path, columns(rows));
    const read = readParquet(path);
    const bits = (all: ParquetColumn[]): string[] =>
      all.map(({ name, type, values }) => {
        const bytes = Array.isArray(values)
          ? Buffer.from(JSON.stringify(values))
          : Buffer.from(values.buffer);
        return `${name} ${type} ${createHash('md5').update(bytes).digest('hex')}`;
      });
    expect(bits(read)).toEqual(bits(columns(rows)));
  });

  it('are the same bytes every time', () => {
    const [one, two] = ['one', 'two'].map((name) => {
      const path = join(folder, `${name}.parquet`);
      writeParquet(path, columns(1000));
      return readFileSync(path);
    });
    expect(one?.equals(two ?? Buffer.of())).toBe(true);
  });

  it('are read by DuckDB, across row groups', async () => {
    const path = join(folder, 'duck.parquet');
    writeParquet(path, columns(300_000));
    const db = await DuckDBInstance.create(':memory:');
    const connection = await db.connect();
    const reader = await connection.runAndReadAll(
      `select count(*)::double as n, sum(case when isnan(a) then 0 else a end) as a, sum("b, ""ü""") as b,
         count("text")::double as texts, count(distinct "text")::double as levels from '${path}'`,
    );
    connection.closeSync();
    db.closeSync();
    const [a, b, text] = columns(300_000);
    const sum = (values: Iterable<number>): number => [...values].reduce((total, x) => total + (x || 0), 0);
    expect(reader.getRowObjects()).toEqual([
      {
        n: 300_000,
        a: expect.closeTo(sum((a as { values: Float32Array }).values), 0) as number,
        b: expect.closeTo(sum((b as { values: Float64Array }).values), 0) as number,
        texts: (text as { values: (string | null)[] }).values.filter((value) => value !== null).length,
        levels: 4,
      },
    ]);
  });

  it('that are damaged or from elsewhere are refused', async () => {
    const path = join(folder, 'damaged.parquet');
    writeParquet(path, columns(100));
    const bytes = readFileSync(path);
    writeFileSync(path, bytes.subarray(0, bytes.length - 20));
    expect(() => readParquet(path)).toThrow('is not a table that preprocess wrote');
    writeFileSync(path, 'a,b\n1,2\n');
    expect(() => readParquet(path)).toThrow('it does not begin and end with PAR1');
    const db = await DuckDBInstance.create(':memory:');
    const connection = await db.connect();
    await connection.run(`copy (select range::float as a from range(10)) to '${path}' (format parquet)`);
    connection.closeSync();
    db.closeSync();
    expect(() => readParquet(path)).toThrow('is not a table that preprocess wrote');
  });
});
