/**
 * How often a check of drift alarms where nothing has drifted, and where something has: counted over simulated checks, with the 95 % interval
 * of each share (Wilson). Beside it, as peer, what is common: a Kolmogorov-Smirnov test of each numeric column at 5 %.
 */
import { type Column } from '../ml/dataset/raw-table';
import { compareTables, type ComparisonSettings } from '../ml/drift/compare-tables';
import { type Finding, report } from './measure';
import { changedTable, type Change, mixedTable } from './drift-tables';
import { Random } from '../ml/random/random';
import { kolmogorovSmirnov, wilson } from './drift-statistics';

const CHECKS = Number(process.argv.find((argument) => /^\d+$/.test(argument)) ?? 100);
const REFERENCE_ROWS = 3000;
const COLUMNS = 20;
const SET = 0.1;

const USUAL: ComparisonSettings = {
  ...{ falseAlarms: SET, psi: 0.1, new_values: 0.01, missing: 0.05, auc: 0.6 },
  ...{ joint: true, seed: 0 },
};
/** Any difference matters: what is counted is chance alone. */
const CHANCE_ALONE = { ...USUAL, psi: 0, new_values: 0, missing: 0, auc: 0.5 };

interface Counted {
  ours: number;
  peer: number;
}

async function counted(rows: number, settings: ComparisonSettings, change: Change | null): Promise<Counted> {
  const found = { ours: 0, peer: 0 };
  for (let check = 0; check < CHECKS; check++) {
    const random = new Random(check, rows);
    const before = mixedTable(REFERENCE_ROWS, COLUMNS, random);
    const same = mixedTable(rows, COLUMNS, random);
    const now = change === null ? same : changedTable(same, change, random);
    const { columns, joint } = await compareTables(
      { before, now, answers: null },
      { ...settings, seed: check },
    );
    if (columns.some(({ alarms }) => alarms.length > 0) || joint?.alarm === true) found.ours++;
    if (before.some((column, c) => alarmsByTest(column, now[c]!))) found.peer++;
  }
  return found;
}

const alarmsByTest = (before: Column, now: Column): boolean =>
  before.kind === 'number' && now.kind === 'number' && kolmogorovSmirnov(before.values, now.values) <= 0.05;

const shareText = (hits: number): string => {
  const [low, high] = wilson(hits, CHECKS);
  return `${((100 * hits) / CHECKS).toFixed(0)} % (${(100 * low).toFixed(0)} … ${(100 * high).toFixed(0)} %)`;
};

async function main(): Promise<void> {
  const cases: [
    what: string,
    rows: number,
    settings: ComparisonSettings,
    change: Change | null,
    aim: string,
  ][] = [
    ['nothing drifted, chance alone', 200, CHANCE_ALONE, null, `≤ ${SET}`],
    ['nothing drifted, chance alone', 2000, CHANCE_ALONE, null, `≤ ${SET}`],
    ['nothing drifted', 200, USUAL, null, `≤ ${SET}`],
    ['nothing drifted', 2000, USUAL, null, `≤ ${SET}`],
    ['one column moved by 0.02 deviations', 20_000, USUAL, { kind: 'shift', by: 0.02 }, `≤ ${SET}`],
    ['one column moved by half a deviation', 200, USUAL, { kind: 'shift', by: 0.5 }, 'much'],
    ['one column moved by half a deviation', 2000, USUAL, { kind: 'shift', by: 0.5 }, 'much'],
    ['a tenth of a column is missing', 200, USUAL, { kind: 'missing', share: 0.1 }, 'much'],
    ['5 % of the rows have a new level', 200, USUAL, { kind: 'level', share: 0.05 }, 'much'],
    ['two columns go together no more', 2000, USUAL, { kind: 'uncoupled' }, 'much'],
  ];
  const findings: Finding[] = [];
  for (const [what, rows, settings, change, aim] of cases) {
    const { ours, peer } = await counted(rows, settings, change);
    findings.push({
      what: `${what}, ${rows} rows now: alarms in ${shareText(ours)} of ${CHECKS} checks`,
      ...{ ours: ours / CHECKS, peer: peer / CHECKS, ratio: ours / Math.max(1, peer) },
      ...{ unit: 'of the checks by a test of each column at 5 %', aim },
    });
    report('drift', findings.splice(0));
  }
}

void main();
