import fc from 'fast-check';
import { cutOffs } from '../../../ml/backtest/cut-offs';

const cut = (
  times: readonly number[],
  origin: { cutoffs: number; window: number; gap?: number; past?: number },
): ReturnType<typeof cutOffs> => cutOffs(Float64Array.from(times), { gap: 0, ...origin }, String);

const days = (count: number): number[] => Array.from({ length: count }, (_, day) => day);

describe('the cut-offs of a backtest', () => {
  test('lie a window apart, and the last window ends with the last row', () => {
    const cuts = cut(days(20), { cutoffs: 3, window: 4 });
    expect(cuts.map(({ after, until, test: rows }) => [after, until, [...rows]])).toEqual([
      [7, 11, [8, 9, 10, 11]],
      [11, 15, [12, 13, 14, 15]],
      [15, 19, [16, 17, 18, 19]],
    ]);
    expect(cuts.map(({ train }) => [...train].at(-1))).toEqual([7, 11, 15]);
    expect(cuts.every(({ train }) => train[0] === 0)).toBe(true);
  });

  test('whatever the times: nothing is trained on that is not before its window by more than the gap, and no row is scored twice', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 0, max: 60 }), { minLength: 30, maxLength: 80 }),
        fc.integer({ min: 1, max: 4 }),
        fc.integer({ min: 1, max: 7 }),
        fc.integer({ min: 0, max: 3 }),
        (times, cutoffs, window, gap) => {
          fc.pre(times.filter((time) => time < 12).length > 4 && times.includes(60));
          const cuts = cut(times, { cutoffs, window, gap });
          const scored = cuts.flatMap(({ test: rows }) => [...rows]);
          expect(new Set(scored).size).toBe(scored.length);
          for (const { train, test: rows, after } of cuts) {
            const first = Math.min(...Array.from(rows, (row) => times[row] ?? 0));
            expect(Array.from(train).every((row) => (times[row] ?? 0) <= after)).toBe(true);
            // Its target, `gap` ahead, is known before the window begins.
            expect(Array.from(train).every((row) => gap === 0 || (times[row] ?? 0) + gap < first)).toBe(true);
          }
        },
      ),
      { numRuns: 200 },
    );
  });

  test('keep rows of one time together, leave out a window that no row is in, and go back only so far', () => {
    const times = [0, 0, 1, 1, 2, 2, 9, 9, 10, 10];
    const cuts = cut(times, { cutoffs: 3, window: 3, past: 8 });
    expect(cuts.map(({ after, train, test: rows }) => [after, [...train], [...rows]])).toEqual([
      [1, [0, 1, 2, 3], [4, 5]],
      [7, [0, 1, 2, 3, 4, 5], [6, 7, 8, 9]],
    ]);
    expect(cut(times, { cutoffs: 3, window: 3, past: 6 }).map(({ train }) => [...train])).toEqual([
      [0, 1, 2, 3],
      [4, 5],
    ]);
  });

  test('are fewer where the rows do not reach back, and an error where there is none', () => {
    expect(cut(days(10), { cutoffs: 5, window: 3 }).map(({ after }) => after)).toEqual([3, 6]);
    expect(() => cut(days(10), { cutoffs: 5, window: 14 })).toThrow(
      'train.backtest: none of the 5 cut-offs has rows before it to train on, as the training rows are from 0 to 9; ask for a shorter window, or wait for more data',
    );
  });
});
