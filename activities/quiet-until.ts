import { type QuietHours } from '../contracts/alarm-params';

const DAY_MINUTES = 24 * 60;
const MINUTE_MS = 60_000;

/**
 * End of the quiet hours that a moment is in, by the clock of their time zone, also where that is set to summer or winter time.
 *
 * @param now epoch ms
 * @returns epoch ms; null: it is in none
 */
export function quietUntil(now: number, quiet: QuietHours | undefined): number | null {
  if (quiet === undefined) return null;
  const [from, to, at] = [minutesOf(quiet.from), minutesOf(quiet.to), localMinutes(now, quiet.timezone)];
  const isQuiet = from < to ? at >= from && at < to : at >= from || at < to;
  if (!isQuiet) return null;
  const begin = Math.floor(now / MINUTE_MS) * MINUTE_MS;
  const end = begin + ((to - at + DAY_MINUTES) % DAY_MINUTES || DAY_MINUTES) * MINUTE_MS;
  // The clock may have been set in between: then the end is that much sooner or later.
  const off = to - localMinutes(end, quiet.timezone);
  const half = DAY_MINUTES / 2;
  const shift = ((((off + half) % DAY_MINUTES) + DAY_MINUTES) % DAY_MINUTES) - half;
  return Math.max(begin + MINUTE_MS, end + shift * MINUTE_MS);
}

function minutesOf(time: string): number {
  const [hours = 0, minutes = 0] = time.split(':').map(Number);
  return hours * 60 + minutes;
}

function localMinutes(at: number, timezone: string): number {
  const format = new Intl.DateTimeFormat('en-GB', {
    ...{ timeZone: timezone, hour: '2-digit', minute: '2-digit', hourCycle: 'h23' },
  });
  return minutesOf(format.format(at));
}
