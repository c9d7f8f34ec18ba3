import { findings, page, shiftOf, shortfalls } from '../../scripts/demo-loop/page';
import { type Day } from '../../scripts/demo-loop/play-through';

const day = (number: number, told: Partial<Day> = {}): Day => ({
  number,
  date: new Date(Date.UTC(2026, 0, 1 + number)).toISOString().slice(0, 10),
  ...{ rows: 150, version: '1', error: 0.04, trained: null },
  check: check([]),
  ...told,
});

const check = (raised: string[], resolved: string[] = []): Day['check'] => ({
  ...{ raised, resolved, open: raised, training: null },
  notes: { drift: '', accuracy: '', training: '' },
});

const trained = (modelVersion: string, outcome: 'promoted' | 'staged'): Day['trained'] => ({
  ...{ modelVersion, outcome, metrics: {} },
  reason: outcome === 'promoted' ? 'better' : 'not better',
});

const SHIFTS = [shiftOf('90:level=1.6'), shiftOf('140:promotions=5')];

const whole: Day[] = [
  day(89, { trained: trained('1', 'promoted'), check: null, error: null }),
  day(90),
  day(91, { error: 0.09 }),
  day(92, { check: check(['price: distribution, PSI 0.4', 'joint']), error: 0.09 }),
  day(99, { trained: trained('2', 'staged'), error: 0.09 }),
  day(106, { trained: trained('3', 'promoted'), version: '3' }),
  day(141, { check: check(['promotion_days: distribution']), version: '3' }),
  day(150, { trained: trained('4', 'promoted'), version: '4' }),
  day(151, { version: '4' }),
];

describe('what the loop shows', () => {
  test('a shift is found by the first alarm on its day or later, and the first promotion after that', () => {
    const found = findings(whole, SHIFTS);
    expect(found.map(({ alarm, promoted }) => [alarm?.day, promoted?.day, promoted?.version])).toEqual([
      [92, 106, '3'],
      [141, 150, '4'],
    ]);
    expect(shortfalls(whole, found, 10)).toEqual([]);
    const told = page(whole, found, 61);
    expect(told).toContain('level=1.6: alarm after 2 days, v3 in production after 16 days');
    expect(told).toContain('day  92  2026-04-03  alarm: price: distribution, PSI 0.4 and 1 more');
    expect(told).toContain('before anything had changed no alarm');
  });

  test.each([
    ['no alarm at all', whole.filter(({ number }) => number !== 92), /nobody was alarmed by level=1.6/],
    [
      'a late alarm',
      whole.map((one) => (one.number === 92 ? { ...one, number: 101 } : one)),
      /after 11 days/,
    ],
    ['no new version', whole.filter(({ number }) => number < 150), /no new version after promotions=5/],
    [
      'another version that answers',
      [...whole, day(152, { version: '3' })],
      /version 4 is in production, and 3 answers/,
    ],
  ])('%s is told, and is no success', (_what, days, expected) => {
    expect(shortfalls(days, findings(days, SHIFTS), 10).join('\n')).toMatch(expected);
  });

  test('an alarm before anything has changed is counted', () => {
    const early = [day(80, { check: check(['listings: distribution']) }), ...whole];
    expect(page(early, findings(early, SHIFTS), 1)).toContain('before anything had changed 1 alarm');
  });

  test('what is no shift is refused', () => {
    expect(() => shiftOf('level=2')).toThrow('--shift takes DAY:NAME=FACTOR');
  });
});
