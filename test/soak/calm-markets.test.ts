import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';
import { parse } from 'yaml';
import { DriftParams, falseAlarmsPerCheck } from '../../contracts/drift-params';
import { type NumberColumn } from '../../ml/dataset/raw-table';
import { levelOf, oneColumn, QUESTIONS_PER_COLUMN } from '../../ml/drift/drift';
import { loopParams } from '../../scripts/demo-loop/loop-params';

const EXAMPLE = path.resolve(__dirname, '..', '..', 'examples', 'card-prices');
const SEEDS = 20;
const DAYS = 180;
/** The first days have no month of history; the rows of the next are trained on. */
const TRAINED_ON = { from: 28, to: 54 };
const WEEK = 7;

type Row = Record<string, unknown>;

test('in 20 markets in which nothing drifts, checks alarm no more often than was set', async () => {
  const { preprocess } = parse(readFileSync(path.join(EXAMPLE, 'params.yaml'), 'utf8')) as {
    preprocess: { sql: string };
  };
  const drift = DriftParams.parse(loopParams('http://127.0.0.1', preprocess.sql)['drift']);
  let [checks, alarms] = [0, 0];
  for (let seed = 1; seed <= SEEDS; seed++) {
    const rows = await featuresOf(seed, preprocess.sql);
    const reference = columnsOf(between(rows, TRAINED_ON.from, TRAINED_ON.to), drift.exclude);
    const level = levelOf(falseAlarmsPerCheck(drift), QUESTIONS_PER_COLUMN * reference.length);
    const settings = {
      ...{ level, leastStability: drift.psi, leastStrange: drift.new_values },
      ...{ leastMissing: drift.missing, seed },
    };
    for (let day = TRAINED_ON.to + WEEK; day + WEEK <= DAYS; day += WEEK) {
      const now = columnsOf(between(rows, day, day + WEEK), drift.exclude);
      const found = reference.map((column, number) => oneColumn(column, now[number]!, settings, number));
      checks++;
      if (found.some((column) => column.alarms.length > 0)) alarms++;
    }
  }
  const expected = falseAlarmsPerCheck(drift) * checks;
  console.info(`${alarms} alarms in ${checks} checks; the rate that is set gives ${expected.toFixed(1)}`);
  expect(checks).toBe(SEEDS * 17);
  // The upper end of the 95 % interval around the rate, by the normal distribution.
  expect(alarms).toBeLessThanOrEqual(expected + 1.96 * Math.sqrt(expected));
}, 600_000);

/** A market's rows by the example's own generator, and their features by its own SQL. */
async function featuresOf(seed: number, sql: string): Promise<Row[]> {
  const dir = mkdtempSync(path.join(tmpdir(), 'calm-market-'));
  const connection = await (await DuckDBInstance.create(':memory:')).connect();
  try {
    const options = ['--out', dir, '--seed', `${seed}`, '--days', `${DAYS}`];
    execFileSync(process.execPath, [path.join(EXAMPLE, 'generate.mjs'), ...options]);
    await connection.run(`create view data as select * from read_json('${dir}/*.json')`);
    return (await connection.runAndReadAll(`select * from (${sql})`)).getRowObjectsJson();
  } finally {
    connection.closeSync();
    rmSync(dir, { recursive: true, force: true });
  }
}

const between = (rows: readonly Row[], from: number, to: number): Row[] =>
  rows.filter(({ day }) => {
    const number = (Date.parse(`${day as string}`) - Date.parse('2026-01-01')) / 86_400_000;
    return number >= from && number < to;
  });

/** Numbers among the features. */
function columnsOf(rows: readonly Row[], excluded: readonly string[]): NumberColumn[] {
  const names = Object.keys(rows[0] ?? {}).filter(
    (name) => !['day', 'card_id', 'rarity', 'next_price', ...excluded].includes(name),
  );
  return names.map((name) => ({
    ...{ kind: 'number', name },
    values: Float64Array.from(rows, (row) => (row[name] === null ? NaN : Number(row[name]))),
  }));
}
