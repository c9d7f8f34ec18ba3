/**
 * CSV of a million rows, 11 columns of numbers and one of texts, to typed columns in this process, against DuckDB's own work on
 * the same file, in pairs: making a table of it in memory, which is the same product, and merely adding up each
 * column, which keeps nothing. The file is in the page cache.
 */
import { DuckDBInstance } from '@duckdb/node-api';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { dataFiles } from '../ml/dataset/data-files';
import { readDuckTable } from '../ml/dataset/duckdb/read-duck-table';
import { median, report, timed } from './measure';

const ROWS = 1_000_000;
const ROUNDS = 7;

const NAMES = Array.from({ length: 11 }, (_, k) => `c${k}`);

async function duck(sql: string): Promise<void> {
  const instance = await DuckDBInstance.create(':memory:');
  const connection = await instance.connect();
  await connection.run(sql);
  connection.closeSync();
  instance.closeSync();
}

async function main(): Promise<void> {
  const dir = mkdtempSync(path.join(tmpdir(), 'bench-csv-'));
  try {
    const file = path.join(dir, 'table.csv');
    const numbers = NAMES.map(
      (name, k) => `round(hash(i * ${k + 1}) % 1000000 / ${10 ** (k % 4)}, 4) AS ${name}`,
    );
    await duck(
      `COPY (SELECT ${numbers.join(', ')}, CASE WHEN hash(i) % 3 = 0 THEN 'yes' ELSE 'no' END AS y FROM range(${ROWS}) t(i)) TO '${file}' (HEADER)`,
    );
    const types = [...NAMES.map((name) => `'${name}': 'DOUBLE'`), "'y': 'VARCHAR'"];
    const scan = `read_csv('${file}', header = true, delim = ',', auto_detect = false, columns = {${types.join(', ')}})`;
    const files = await dataFiles(file, 'table.csv');
    const spillDir = path.join(dir, 'spill');
    mkdirSync(spillDir);
    const choice = { target: 'y', drop: [], rename: {} };
    const sums = NAMES.map((name) => `sum(${name})`).join(', ');
    const rounds: { ours: number; table: number; sum: number }[] = [];
    for (let round = 0; round < ROUNDS; round++) {
      rounds.push({
        table: await timed(() => duck(`CREATE TEMP TABLE t AS SELECT * FROM ${scan}`)),
        ours: await timed(() => readDuckTable(files, 'table.csv', { choice, allowMissing: true, spillDir })),
        sum: await timed(() => duck(`SELECT ${sums}, max(y) FROM ${scan}`)),
      });
    }
    const against = (
      what: string,
      peer: 'table' | 'sum',
      aim: string,
    ): Parameters<typeof report>[1][number] => ({
      what,
      unit: 'ms',
      aim,
      ours: median(rounds.map(({ ours }) => ours)),
      peer: median(rounds.map((round) => round[peer])),
      ratio: median(rounds.map((round) => round.ours / round[peer])),
    });
    report('csv', [
      against('typed columns against a table of DuckDB in memory', 'table', '≤ 1.3'),
      against('typed columns against a scan that keeps nothing', 'sum', '≤ 1.3'),
    ]);
  } finally {
    rmSync(dir, { recursive: true });
  }
}

void main();
