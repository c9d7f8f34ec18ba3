import { type Column } from '../../../ml/dataset/raw-table';
import { compareTables, type ComparisonSettings } from '../../../ml/drift/compare-tables';
import { independentColumns } from '../../../ml/drift/independent-columns';
import { forecastFactor } from '../../../ml/drift/persistence';
import { strangeByWindow } from '../../../ml/drift/strange-windows';
import { windowsOf } from '../../../ml/drift/windows';
import { Random } from '../../../ml/random/random';

const bell = (random: Random): number =>
  Math.sqrt(-2 * Math.log1p(-random.float())) * Math.cos(2 * Math.PI * random.float());

const numbers = (name: string, values: ArrayLike<number>): Column => ({
  ...{ kind: 'number', name },
  values: Float64Array.from(values),
});

const days = (count: number, rows: number, from = 0): Float64Array =>
  Float64Array.from({ length: count * rows }, (_, i) => from + Math.floor(i / rows));

/** So many days of shops, each with a level of its own and a day that moves all of them: autoregressive, by this much. */
function shops(count: number, shift: number, random: Random): { day: number; value: number }[] {
  const levels = Array.from({ length: 20 }, () => bell(random));
  let weather = bell(random);
  return Array.from({ length: count }, (_, day) => {
    weather = 0.6 * weather + 0.8 * bell(random);
    return levels.map((level) => ({ day, value: level + 0.5 * weather + 0.2 * bell(random) + shift }));
  }).flat();
}

const SETTINGS: ComparisonSettings = {
  ...{ falseAlarms: 1 / 30, new_values: 0.01, missing: 0.05, joint: false, seed: 0 },
};

describe('the training period in windows', () => {
  test('of days is cut by days, a week of now being seven, whatever the hour', () => {
    const times = days(60, 5, 20_000).filter((day) => day !== 20_010);
    expect(windowsOf(times, { from: 20_070.25, to: 20_076.9 })).toMatchObject({
      ...{ steps: 60, length: 7, horizon: 10 },
      count: 60 / 7,
    });
  });

  test('of moments is cut by parts of the time of now', () => {
    const random = new Random(1);
    const times = Float64Array.from({ length: 5000 }, () => 100 * random.float());
    const windows = windowsOf(times, { from: 110, to: 114 });
    expect(windows?.count).toBeCloseTo(25, 0);
    expect(windows?.length).toBe(8);
    expect(windows?.steps).toBeGreaterThan(190);
  });

  test('where nobody knows when rows of now were, is of as many rows, far off', () => {
    expect(windowsOf(days(60, 5), { rows: 35 })).toMatchObject({ steps: 60, length: 7, horizon: 60 });
  });

  test('too short, or without a time, tells nothing', () => {
    expect(windowsOf(days(20, 5), { from: 30, to: 36 })).toBeNull();
    expect(windowsOf(days(1, 500), { rows: 100 })).toBeNull();
    expect(windowsOf(new Float64Array(), { rows: 100 })).toBeNull();
  });
});

test('rows that move together alarm as often as was set, where one by one they alarm several times as often', async () => {
  const [checks, trained] = [30, 70];
  let [together, alone] = [0, 0];
  for (let seed = 0; seed < checks; seed++) {
    const rows = shops(trained + 27, 0, new Random(seed, 5));
    const column = (from: number, to: number): Column[] => [
      numbers(
        'sales',
        rows.flatMap(({ day, value }) => (day >= from && day < to ? [value] : [])),
      ),
    ];
    const [before, now] = [column(0, trained), column(trained + 20, trained + 27)];
    const windows = windowsOf(days(trained, 20), { from: trained + 20, to: trained + 26 });
    const alarms = async (by: typeof windows): Promise<boolean> => {
      const found = await compareTables({ before, now, answers: null, windows: by }, { ...SETTINGS, psi: 0 });
      return found.columns.some((one) => one.alarms.length > 0);
    };
    if (await alarms(windows)) together++;
    if (await alarms(null)) alone++;
  }
  // One is expected; 5 or more come once in 300 times.
  expect(together).toBeLessThan(5);
  expect(alone).toBeGreaterThan(7);
});

test('a step beyond all that the days did is found, with limits of nobody', async () => {
  const random = new Random(3);
  const rows = shops(70, 0, random);
  const before = [
    numbers(
      'sales',
      rows.map(({ value }) => value),
    ),
  ];
  const now = [
    numbers(
      'sales',
      rows.slice(-7 * 20).map(({ value }) => value + 3),
    ),
  ];
  const windows = windowsOf(days(70, 20), { from: 71, to: 77 });
  const { columns } = await compareTables({ before, now, answers: null, windows }, SETTINGS);
  expect(columns[0]?.alarms).toContain('distribution');
});

test('a window ahead is as near as one within where days are drawn one by one, and farther where they last', () => {
  const factor = (persistence: number, seed: number): number => {
    const random = new Random(seed, 8);
    const [steps, bins] = [60, 4];
    let level = 0;
    const counts = new Float64Array(steps * bins);
    for (let step = 0; step < steps; step++) {
      level = persistence * level + bell(random);
      for (let row = 0; row < 200; row++) {
        const value = level + bell(random);
        counts[step * bins + (value < -1 ? 0 : value < 0 ? 1 : value < 1 ? 2 : 3)]!++;
      }
    }
    return forecastFactor(counts, bins, { steps, length: 7, horizon: 30 });
  };
  const middle = (persistence: number): number =>
    Array.from({ length: 9 }, (_, seed) => factor(persistence, seed)).sort((a, b) => a - b)[4]!;
  expect(middle(0)).toBeLessThan(1.1);
  expect(middle(1)).toBeGreaterThan(1.5);
});

test('ten columns that are one are one question, and ten that are not are ten', () => {
  const random = new Random(9);
  const one = Float64Array.from({ length: 3000 }, () => bell(random));
  const same = Array.from({ length: 10 }, (_, i) =>
    numbers(
      `c${i}`,
      one.map((value) => Math.exp(value) + i),
    ),
  );
  expect(independentColumns(same)).toBeCloseTo(1, 3);
  const own = same.map(({ name }) =>
    numbers(
      name,
      Array.from({ length: 3000 }, () => bell(random)),
    ),
  );
  expect(independentColumns(own)).toBeGreaterThan(9.5);
  expect(independentColumns([numbers('constant', new Float64Array(50))])).toBe(1);
});

test('what only one window has is strange to it, of numbers and of levels', () => {
  const windows = windowsOf(days(30, 10), { from: 31, to: 33 })!;
  const values = Float64Array.from({ length: 300 }, (_, row) => (row === 155 ? 99 : row % 7));
  const ofNumbers = strangeByWindow({ kind: 'number', name: 'n', values }, windows);
  expect(ofNumbers.map((share) => (share > 0 ? 1 : 0)).join('')).toBe(
    `${'0'.repeat(13)}111${'0'.repeat(12)}`,
  );
  expect(ofNumbers[13]).toBeCloseTo(1 / 30);
  const codes = Int32Array.from({ length: 300 }, (_, row) => (row >= 150 && row < 170 ? 1 : 0));
  const ofTexts = strangeByWindow({ kind: 'text', name: 't', levels: ['a', 'b'], codes }, windows);
  expect(ofTexts.map((share) => (share > 0 ? 1 : 0)).join('')).toBe(`${'0'.repeat(14)}11${'0'.repeat(12)}`);
});

test('a column of one value, or of none, is as quiet in windows', async () => {
  const same = [
    numbers('one', new Float64Array(300).fill(5)),
    numbers('none', new Float64Array(300).fill(NaN)),
  ];
  const now = same.map((column) => ({
    ...column,
    values: (column as { values: Float64Array }).values.slice(0, 70),
  }));
  const windows = windowsOf(days(30, 10), { from: 31, to: 37 });
  const { columns } = await compareTables({ before: same, now: now, answers: null, windows }, SETTINGS);
  expect(columns.map(({ alarms }) => alarms)).toEqual([[], []]);
  const filled = [
    numbers('one', new Float64Array(70).fill(5)),
    numbers('none', new Float64Array(70).fill(1)),
  ];
  const changed = await compareTables({ before: same, now: filled, answers: null, windows }, SETTINGS);
  expect(changed.columns.map(({ name, alarms }) => [name, alarms[0]])).toEqual([
    ['none', 'missing'],
    ['one', undefined],
  ]);
});
