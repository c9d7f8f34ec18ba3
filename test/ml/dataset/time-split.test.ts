import fc from 'fast-check';
import { PreprocessParams } from '../../../contracts/params';
import { chooseRows } from '../../../ml/dataset/choose-rows';
import { nameRows } from '../../../ml/dataset/row-names';
import { type Split } from '../../../ml/dataset/split';
import { tableOf } from './table-of';

function split(days: readonly (string | null)[], gap?: number, test_size = 0.2): Split {
  const table = tableOf({ day: [...days, 'x'], y: [...days.map((_, i) => i), 0] });
  const some = { ...table, rows: days.length };
  const params = PreprocessParams.parse({ split: 'time', time_by: 'day', test_size, gap });
  const names = nameRows([table.columns[1]!], days.length);
  return chooseRows(some, { names, labels: null, classes: [] }, params);
}

const dayText = (day: number): string => new Date(day * 86_400_000).toISOString().slice(0, 10);

describe('a split by time', () => {
  test('with a gap leaves out the training rows whose target may lie in the time that is held out', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 0, max: 40 }), { minLength: 8, maxLength: 60 }),
        fc.integer({ min: 0, max: 3 }),
        (days, gap) => {
          // Where the last fifth of the rows share one day, none can be held out.
          const sorted = [...days].sort((a, b) => a - b);
          fc.pre((sorted.at(-1) ?? 0) > (sorted[Math.ceil(days.length * 0.8)] ?? 0));
          fc.pre(new Set(days).size > 10);
          const whole = split(days.map(dayText));
          const { train, test } = split(days.map(dayText), gap);
          expect(test).toEqual(whole.test);
          const firstDay = Math.min(...Array.from(test, (row) => days[row] ?? 0));
          expect(Array.from(train)).toEqual(
            Array.from(whole.train).filter((row) => gap === 0 || (days[row] ?? 0) + gap < firstDay),
          );
        },
      ),
      { numRuns: 200 },
    );
  });

  test('takes numbers in their own unit, and keeps rows of one time together', () => {
    const { train, test } = split(['1', '2', '3', '4', '5', '5', '6', '6'], 2, 0.25);
    expect([...test]).toEqual([6, 7]);
    expect([...train]).toEqual([0, 1, 2]);
  });

  test('leaves out what is just the gap before, however the times round', () => {
    const hours = Array.from({ length: 60 }, (_, hour) => new Date(hour * 3_600_000 + 1.7e12).toISOString());
    for (const gap of [1, 2, 3, 7]) {
      const { train, test } = split(hours, gap / 24);
      expect(train.at(-1)).toBe((test[0] ?? 0) - gap - 1);
    }
  });

  test('says which row has no time, or another kind of time', () => {
    expect(() => split(['2026-01-01', 'soon', '2026-01-03'])).toThrow(
      'row 2, column "day": "soon" is no time',
    );
    expect(() => split(['2026-01-01', null, '2026-01-03'])).toThrow('row 2, column "day": "" is no time');
    expect(() => split(['2026-01-01', '7', '2026-01-03'])).toThrow(
      '"7" is a number, and rows before it hold dates',
    );
  });

  test('with a gap that leaves nothing to train on says so', () => {
    expect(() => split(['1', '2', '3', '4', '5'], 30)).toThrow(
      'preprocess.gap of 30 leaves no row to train on: all 4 before the held-out ones are within it',
    );
  });

  test('only such a split has a gap', () => {
    expect(() => PreprocessParams.parse({ split: 'random', gap: 1 })).toThrow(
      'is for preprocess.split: time',
    );
  });
});
