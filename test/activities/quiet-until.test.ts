import fc from 'fast-check';
import { quietUntil } from '../../activities/quiet-until';

const BERLIN = { from: '22:00', to: '07:00', timezone: 'Europe/Berlin' };
const at = (iso: string): number => Date.parse(iso);
const iso = (ms: number | null): string | null => (ms === null ? null : new Date(ms).toISOString());

test.each([
  // Winter: UTC + 1.
  ['2026-01-10T21:00:00Z', '2026-01-11T06:00:00.000Z'],
  ['2026-01-10T20:59:59Z', null],
  ['2026-01-11T05:59:00Z', '2026-01-11T06:00:00.000Z'],
  ['2026-01-11T06:00:00Z', null],
  // Summer: UTC + 2.
  ['2026-07-10T20:00:00Z', '2026-07-11T05:00:00.000Z'],
  // The night in which the clock is set forward, and the one in which it is set back.
  ['2026-03-28T22:00:00Z', '2026-03-29T05:00:00.000Z'],
  ['2026-10-24T21:00:00Z', '2026-10-25T06:00:00.000Z'],
])('at %s quiet hours end at %s', (now, end) => {
  expect(iso(quietUntil(at(now), BERLIN))).toBe(end);
});

test('hours within a day, and none at all', () => {
  const noon = { from: '12:00', to: '13:30', timezone: 'UTC' };
  expect(iso(quietUntil(at('2026-01-10T12:10:33Z'), noon))).toBe('2026-01-10T13:30:00.000Z');
  expect(quietUntil(at('2026-01-10T13:30:00Z'), noon)).toBeNull();
  expect(quietUntil(at('2026-01-10T12:10:33Z'), undefined)).toBeNull();
});

test('their end lies ahead, within a day and an hour, and is not quiet', () => {
  const time = fc
    .record({ h: fc.integer({ min: 0, max: 23 }), m: fc.integer({ min: 0, max: 59 }) })
    .map(({ h, m }) => `${String(h).padStart(2, '0')}:${String(m).padStart(2, '0')}`);
  const zone = fc.constantFrom('UTC', 'Europe/Berlin', 'America/New_York', 'Asia/Kolkata', 'Pacific/Chatham');
  const moment = fc.integer({ min: at('2026-01-01T00:00:00Z'), max: at('2027-01-01T00:00:00Z') });
  fc.assert(
    fc.property(time, time, zone, moment, (from, to, timezone, now) => {
      fc.pre(from !== to);
      const end = quietUntil(now, { from, to, timezone });
      if (end === null) return;
      expect(end).toBeGreaterThan(now);
      expect(end - now).toBeLessThanOrEqual(25 * 3_600_000);
    }),
    { numRuns: 300 },
  );
});
