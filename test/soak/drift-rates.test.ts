import { type Column } from '../../ml/dataset/raw-table';
import { compareTables, type ComparisonSettings } from '../../ml/drift/compare-tables';
import { jointDrift } from '../../ml/drift/joint';
import { Random } from '../../ml/random/random';
import { table } from '../ml/drift/looks';
import { pairedTable } from '../ml/drift/paired-table';

jest.setTimeout(600_000);

const USUAL: ComparisonSettings = {
  ...{ falseAlarms: 1 / 30, psi: 0.1, new_values: 0.01, missing: 0.05, auc: 0.6 },
  ...{ joint: false, seed: 0 },
};

async function isAlarmed(
  before: readonly Column[],
  now: readonly Column[],
  settings: ComparisonSettings,
): Promise<boolean> {
  const { columns } = await compareTables({ before, now, answers: null }, settings);
  return columns.some(({ alarms }) => alarms.length > 0);
}

/** Any difference matters, so that what is counted is chance alone. */
const every = { ...USUAL, falseAlarms: 0.2, psi: 0, new_values: 0, missing: 0 };

test.each([
  [1000, 150],
  [400, 2000],
])('false alarms come no more often than they may, of %i reference rows and %i now', async (n, m) => {
  const checks = 40;
  let alarmed = 0;
  for (let check = 0; check < checks; check++) {
    const random = new Random(check, n);
    if (await isAlarmed(table(n, random), table(m, random), { ...every, seed: check })) alarmed++;
  }
  // 8 are expected at most; with a share of 0.2, 17 or more come once in 700 times.
  expect(alarmed).toBeLessThan(17);
  // It is no deaf ear, either.
  expect(alarmed).toBeGreaterThan(0);
});

test('fifty columns without drift raise alarms as rarely as they may, all together, at 20 seeds', async () => {
  let alarmed = 0;
  for (let seed = 0; seed < 20; seed++) {
    const random = new Random(seed, 50);
    const wide = (rows: number): Column[] =>
      Array.from({ length: 10 }, (_, i) =>
        table(rows, random).map((column) => ({ ...column, name: `${column.name} ${i}` })),
      ).flat();
    if (await isAlarmed(wide(300), wide(100), { ...USUAL, seed })) alarmed++;
  }
  // Of 20 checks at 1/30 each, 4 or more alarm once in 250 times.
  expect(alarmed).toBeLessThan(4);
});

test('the share of 95 % intervals that hold a half is about that, where nothing has drifted', async () => {
  const checks = 30;
  let held = 0;
  for (let check = 0; check < checks; check++) {
    const random = new Random(check, 77);
    const { low, high } = await jointDrift(pairedTable(150, 0.3, random), pairedTable(100, 0.3, random), {
      leastAuc: 0.6,
      seed: check,
    });
    if (low <= 0.5 && high >= 0.5) held++;
  }
  // Of 30, 25 are fewer than come by chance alone once in 100 times.
  expect(held).toBeGreaterThan(24);
});
