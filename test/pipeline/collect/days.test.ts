import { CollectParams } from '../../../contracts/collect-params';
import { type CollectSource } from '../../../contracts/collect-source';
import { type CollectRequest } from '../../../contracts/collect';
import { dayAfter, dayOf, daysToCollect } from '../../../pipeline/collect/days';

const source = (rest: object = {}): CollectSource =>
  CollectParams.parse({
    sources: { s: { url: 'https://e.com/{day}', columns: { a: 'text' }, ...rest } },
  }).sources['s']!;

function days(
  given: {
    source?: object;
    collected?: string[];
    open?: string[];
    catchUp?: number;
    asked?: CollectRequest;
  } = {},
): { days: string[]; left: number } {
  const { collected = [], open = [] } = given;
  const rules = { now: new Date('2026-03-09T12:00:00Z'), timezone: 'UTC', catch_up: given.catchUp ?? 31 };
  const plan = daysToCollect('s', source(given.source), { collected, open }, rules, given.asked ?? {});
  return { days: plan.days, left: plan.left };
}

test('a first collection is that of today, or of all days since the start', () => {
  expect(days().days).toEqual(['2026-03-09']);
  expect(days({ source: { start: '2026-03-07' } }).days).toEqual(['2026-03-07', '2026-03-08', '2026-03-09']);
});

test('a missed week is caught up, the oldest day first, and no more than catch_up at once', () => {
  const collected = ['2026-03-01', '2026-03-02'];
  expect(days({ collected }).days).toEqual([3, 4, 5, 6, 7, 8, 9].map((day) => `2026-03-0${day}`));
  expect(days({ collected, catchUp: 3 })).toEqual({
    days: ['2026-03-03', '2026-03-04', '2026-03-05'],
    left: 4,
  });
});

test('a day in between that failed is due again', () => {
  expect(days({ collected: ['2026-03-06', '2026-03-08', '2026-03-09'] }).days).toEqual([
    '2026-03-07',
    '2026-03-09',
  ]);
});

test('a day that was asked for before it was over is asked for once more', () => {
  const collected = ['2026-03-06', '2026-03-07', '2026-03-08'];
  expect(days({ collected, open: ['2026-03-08'] }).days).toEqual(['2026-03-08', '2026-03-09']);
  expect(days({ collected }).days).toEqual(['2026-03-09']);
});

test('corrections of the last days are asked for, and a source may be late', () => {
  const collected = ['2026-03-05', '2026-03-06', '2026-03-07', '2026-03-08', '2026-03-09'];
  expect(days({ collected, source: { recheck_days: 2 } }).days).toEqual([
    '2026-03-07',
    '2026-03-08',
    '2026-03-09',
  ]);
  expect(days({ source: { lag_days: 1 } }).days).toEqual(['2026-03-08']);
  expect(days({ source: { lag_days: 1, start: '2026-03-09' } }).days).toEqual([]);
});

test('days may be named', () => {
  expect(days({ asked: { day: '2025-12-31' } }).days).toEqual(['2025-12-31']);
  expect(days({ asked: { from: '2026-02-27', to: '2026-03-01' } }).days).toEqual([
    '2026-02-27',
    '2026-02-28',
    '2026-03-01',
  ]);
  expect(days({ asked: { from: '2026-03-08' } }).days).toEqual(['2026-03-08', '2026-03-09']);
});

test.each<[CollectRequest, RegExp]>([
  [{ day: '2026-03-10' }, /2026-03-10 is yet to come, as today is 2026-03-09/],
  [{ from: '2026-03-02', to: '2026-03-01' }, /--from 2026-03-02 is after --to 2026-03-01/],
  [{ from: '2020-01-01' }, /are 2260 days, expected at most 366 at once/],
  [{ to: '2026-03-01' }, /needs a --from/],
  [{ day: '2026-03-01', from: '2026-03-01' }, /exclude each other/],
])('%j is refused with words', (asked, words) => {
  expect(() => days({ asked })).toThrow(words);
});

test('a source without a day in its address tells of the present only', () => {
  const present = { url: 'https://e.com/now' };
  expect(days({ source: present, collected: ['2026-03-01'] }).days).toEqual(['2026-03-09']);
  expect(days({ source: present, asked: { day: '2026-03-09' } }).days).toEqual(['2026-03-09']);
  expect(() => days({ source: present, asked: { day: '2026-03-08' } })).toThrow(
    /tells of the present only, which is 2026-03-09/,
  );
});

test('a day begins where the time zone says, and days follow one another over months and leap years', () => {
  const now = new Date('2026-03-08T23:30:00Z');
  expect([dayOf(now, 'UTC'), dayOf(now, 'Europe/Berlin'), dayOf(now, 'America/New_York')]).toEqual([
    '2026-03-08',
    '2026-03-09',
    '2026-03-08',
  ]);
  expect([dayAfter('2024-02-28', 1), dayAfter('2025-02-28', 1), dayAfter('2026-01-01', -1)]).toEqual([
    '2024-02-29',
    '2025-03-01',
    '2025-12-31',
  ]);
});
