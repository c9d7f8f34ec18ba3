import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';
import { parse } from 'yaml';
import { DriftParams, falseAlarmsPerCheck } from '../../contracts/drift-params';
import { type Column } from '../../ml/dataset/raw-table';
import { compareTables } from '../../ml/drift/compare-tables';
import { windowsOf } from '../../ml/drift/windows';

const EXAMPLE = path.resolve(__dirname, '..', '..', 'examples', 'card-prices');
const SEEDS = 20;
const DAYS = 180;
/** What is trained on: the first days have no month of history. The demo's first version has four weeks, others more. */
const PERIODS = [
  [28, 54],
  [28, 82],
] as const;
const WEEK = 7;

type Row = Record<string, unknown>;

/** Of params.yaml that says nothing of drift. */
const DRIFT = DriftParams.parse({});
const RATE = falseAlarmsPerCheck(DRIFT);

test.each(PERIODS)(
  'in 20 markets in which nothing drifts, alarms come at the rate that was set, trained on days %i to %i',
  async (first, last) => {
    const { preprocess } = parse(readFileSync(path.join(EXAMPLE, 'params.yaml'), 'utf8')) as {
      preprocess: { sql: string };
    };
    const bySeed: { checks: number; alarms: string[] }[] = [];
    for (let seed = 1; seed <= SEEDS; seed++) {
      const rows = await featuresOf(seed, preprocess.sql);
      const trained = between(rows, first, last);
      const before = columnsOf(trained);
      const times = Float64Array.from(trained, dayOf);
      let checks = 0;
      const alarms: string[] = [];
      for (let day = last + WEEK; day + WEEK <= DAYS; day += WEEK) {
        const now = between(rows, day, day + WEEK);
        const windows = windowsOf(times, { from: day, to: day + WEEK - 1 });
        const found = await compareTables(
          { before, now: columnsOf(now), answers: null, windows },
          { ...DRIFT, falseAlarms: RATE, seed },
        );
        checks++;
        const causes = found.columns.flatMap(({ name, alarms: own }) =>
          own.map((alarm) => `${name} ${alarm}`),
        );
        if (found.joint?.alarm === true) causes.push('joint');
        if (causes.length > 0) alarms.push(`day ${day}: ${causes.join(', ')}`);
      }
      bySeed.push({ checks, alarms });
    }
    const checks = bySeed.reduce((sum, one) => sum + one.checks, 0);
    const alarms = bySeed.reduce((sum, one) => sum + one.alarms.length, 0);
    const [low, high] = binomialInterval(checks, RATE);
    console.info(
      [
        `${alarms} alarms in ${checks} checks; the rate that is set gives ${(RATE * checks).toFixed(1)}, 95 % of the time ${low} to ${high}`,
        ...bySeed.flatMap(({ alarms: own }, i) => own.map((alarm) => `  seed ${i + 1}, ${alarm}`)),
      ].join('\n'),
    );
    expect(alarms).toBeGreaterThanOrEqual(low);
    expect(alarms).toBeLessThanOrEqual(high);
  },
  600_000,
);

/** The least and the largest number of alarms between which 95 % of binomial draws are. */
function binomialInterval(n: number, p: number): [low: number, high: number] {
  let [probability, below] = [(1 - p) ** n, 0];
  let [low, high] = [-1, -1];
  for (let k = 0; k <= n && high === -1; k++) {
    below += probability;
    if (low === -1 && below > 0.025) low = k;
    if (below >= 0.975) high = k;
    probability *= ((n - k) * p) / ((k + 1) * (1 - p));
  }
  return [low, high];
}

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

const dayOf = ({ day }: Row): number =>
  (Date.parse(`${day as string}`) - Date.parse('2026-01-01')) / 86_400_000;

const between = (rows: readonly Row[], from: number, to: number): Row[] =>
  rows.filter((row) => dayOf(row) >= from && dayOf(row) < to);

/** The model's columns. */
function columnsOf(rows: readonly Row[]): Column[] {
  const names = Object.keys(rows[0] ?? {}).filter((name) => !['day', 'card_id', 'next_price'].includes(name));
  return names.map((name): Column => {
    if (name === 'rarity') {
      const levels = [...new Set(rows.map((row) => String(row[name])))];
      return {
        kind: 'text',
        name,
        levels,
        codes: Int32Array.from(rows, (row) => levels.indexOf(String(row[name]))),
      };
    }
    return {
      ...{ kind: 'number', name },
      values: Float64Array.from(rows, (row) => (row[name] === null ? NaN : Math.fround(Number(row[name])))),
    };
  });
}
