/**
 * Naming a million rows (11 numbers, one text) against reading them from CSV, in pairs in one process, and the split by those
 * names with the list of what was trained on. The file is in the page cache.
 */
import { DuckDBInstance } from '@duckdb/node-api';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { PreprocessParams } from '../contracts/params';
import { chooseRows } from '../ml/dataset/choose-rows';
import { numberClasses } from '../ml/dataset/class-labels';
import { dataFiles } from '../ml/dataset/data-files';
import { readDuckTable } from '../ml/dataset/duckdb/read-duck-table';
import { columnOf } from '../ml/dataset/raw-table';
import { nameRows, takeNames } from '../ml/dataset/row-names';
import { encodeSeenRows } from '../ml/dataset/seen-rows';
import { median, report } from './measure';

const ROWS = 1_000_000;
const ROUNDS = 7;

async function writeCsv(file: string): Promise<void> {
  const numbers = Array.from(
    { length: 11 },
    (_, k) => `round(hash(i * ${k + 1}) % 1000000 / ${10 ** (k % 4)}, 4) AS c${k}`,
  );
  const instance = await DuckDBInstance.create(':memory:');
  const connection = await instance.connect();
  await connection.run(
    `COPY (SELECT ${numbers.join(', ')}, CASE WHEN hash(i) % 3 = 0 THEN 'yes' ELSE 'no' END AS y FROM range(${ROWS}) t(i)) TO '${file}' (HEADER)`,
  );
  connection.closeSync();
  instance.closeSync();
}

async function main(): Promise<void> {
  const dir = mkdtempSync(path.join(tmpdir(), 'bench-row-names-'));
  try {
    const file = path.join(dir, 'table.csv');
    await writeCsv(file);
    const files = await dataFiles(file, 'table.csv');
    const spillDir = path.join(dir, 'spill');
    mkdirSync(spillDir);
    const choice = { target: 'y', drop: [], rename: {} };
    const rounds: { read: number; name: number; split: number; bytes: number }[] = [];
    for (let round = 0; round < ROUNDS; round++) {
      const begun = performance.now();
      const { table } = await readDuckTable(files, 'table.csv', { choice, allowMissing: true, spillDir });
      const read = performance.now();
      const names = nameRows(table.columns, table.rows);
      const named = performance.now();
      const target = columnOf(table, 'y');
      if (target.kind !== 'text') throw new Error('the target is no text');
      const { classes, numbers } = numberClasses(target, 'table.csv');
      const { train } = chooseRows(table, { names, labels: numbers, classes }, PreprocessParams.parse({}));
      const { length } = encodeSeenRows({ by: 'content', columns: ['y'] }, takeNames(names, train));
      rounds.push({
        read: read - begun,
        name: named - read,
        split: performance.now() - named,
        bytes: length / train.length,
      });
    }
    const reading = median(rounds.map(({ read }) => read));
    const against = (
      what: string,
      of: 'name' | 'split',
      aim: string,
    ): Parameters<typeof report>[1][number] => ({
      what,
      ours: median(rounds.map((round) => round[of])),
      peer: reading,
      unit: 'ms',
      ratio: median(rounds.map((round) => round[of] / round.read)),
      aim,
    });
    const bytes = median(rounds.map((round) => round.bytes));
    report('row-names', [
      against('naming a million rows against reading them', 'name', '≤ 0.1'),
      against('split and list of the training rows against reading them', 'split', '≤ 0.5'),
      { what: 'bytes a training row', ours: bytes, peer: 8, unit: 'bytes', ratio: bytes / 8, aim: '≤ 1' },
    ]);
  } finally {
    rmSync(dir, { recursive: true });
  }
}

void main();
