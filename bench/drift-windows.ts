/**
 * How often a check of drift alarms where rows of a day and of days in a row go together: chance taken from windows of the training period, beside chance
 * of rows that are drawn one by one. Nothing has drifted, or one of four columns has moved.
 */
import { compareTables, type ComparisonSettings } from '../ml/drift/compare-tables';
import { windowsOf } from '../ml/drift/windows';
import { Random } from '../ml/random/random';
import { wilson } from './drift-statistics';
import { daysOf, tableOf, type World } from './drift-worlds';
import { report } from './measure';

const CHECKS = Number(process.argv.find((argument) => /^\d+$/.test(argument)) ?? 200);
const SET = 0.1;
const WEEK = 7;
const AHEAD = 30;
const WORLDS: World[] = ['rows one by one', 'days last', 'same shops', 'weekdays', 'random walk'];

const SETTINGS: ComparisonSettings = {
  ...{ falseAlarms: SET, psi: 0, new_values: 0.01, missing: 0.05, joint: false, seed: 0 },
};

async function counted(world: World, trained: number, shift: number): Promise<[ours: number, peer: number]> {
  const found: [number, number] = [0, 0];
  const from = trained + AHEAD;
  for (let check = 0; check < CHECKS; check++) {
    const rows = daysOf(world, from + WEEK, new Random(check, trained));
    const before = tableOf(rows, 0, trained, 0);
    const now = tableOf(rows, from, from + WEEK, shift);
    const times = Float64Array.from(
      rows.filter(({ day }) => day < trained),
      ({ day }) => day,
    );
    const windows = windowsOf(times, { from, to: from + WEEK - 1 });
    for (const [i, by] of [windows, null].entries()) {
      const { columns } = await compareTables(
        { before, now, answers: null, windows: by },
        { ...SETTINGS, seed: check },
      );
      if (columns.some(({ alarms }) => alarms.length > 0)) found[i]!++;
    }
  }
  return found;
}

const shareText = (hits: number): string => {
  const [low, high] = wilson(hits, CHECKS);
  return `${((100 * hits) / CHECKS).toFixed(0)} % (${(100 * low).toFixed(0)} … ${(100 * high).toFixed(0)} %)`;
};

async function main(): Promise<void> {
  for (const world of WORLDS) {
    for (const [trained, shift] of [
      [28, 0],
      [90, 0],
      [90, 2],
    ] as const) {
      const [ours, peer] = await counted(world, trained, shift);
      const what = shift === 0 ? 'nothing drifted' : `one column moved by ${shift}`;
      report('drift-windows', [
        {
          what: `${world}, ${trained} days of training, ${what}: alarms in ${shareText(ours)} of ${CHECKS} checks`,
          ...{ ours: ours / CHECKS, peer: peer / CHECKS, ratio: ours / Math.max(1, peer) },
          ...{
            unit: 'of the checks, as if rows were drawn one by one',
            aim: shift === 0 ? `≈ ${SET}` : 'much',
          },
        },
      ]);
    }
  }
}

void main();
