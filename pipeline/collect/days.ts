import { type CollectRequest, type SourceDays } from '../../contracts/collect';
import { type CollectParams } from '../../contracts/collect-params';
import { type CollectSource, isDated, isHttp } from '../../contracts/collect-source';
import { RetrainError } from '../../contracts/errors';

const DAY_MS = 86_400_000;

/** Most days that may be asked for at once. */
const MOST_ASKED = 366;

/** The day after so many others: `2026-02-28`, 1 → `2026-03-01`. */
export function dayAfter(day: string, days: number): string {
  return new Date(Date.parse(`${day}T00:00:00Z`) + days * DAY_MS).toISOString().slice(0, 10);
}

/** The calendar day of a moment in a time zone. */
export function dayOf(now: Date, timezone: string): string {
  const parts = new Intl.DateTimeFormat('en', {
    ...{ timeZone: timezone, calendar: 'gregory', numberingSystem: 'latn' },
    ...{ year: 'numeric', month: '2-digit', day: '2-digit' },
  }).formatToParts(now);
  const part = (type: string): string => parts.find((one) => one.type === type)?.value ?? '';
  return `${part('year').padStart(4, '0')}-${part('month')}-${part('day')}`;
}

/**
 * The days of one source that are to be collected, oldest first. Those that were asked for; else those that are due: all that were
 * never collected since the first one, or not since they were over, those that are to be checked again, and the newest. More than
 * `catch_up` wait for the next time.
 *
 * @param collected days that have a record, in any order
 * @param open those of them that were not over yet
 * @throws RetrainError USAGE for days that the source cannot be asked for
 */
export function daysToCollect(
  name: string,
  source: CollectSource,
  { collected, open }: { collected: readonly string[]; open: readonly string[] },
  { now, timezone, catch_up: catchUp }: Pick<CollectParams, 'timezone' | 'catch_up'> & { now: Date },
  asked: CollectRequest,
): SourceDays {
  const today = dayOf(now, timezone);
  const inOrder = source.watermark !== undefined;
  const explicit = askedDays(asked, today);
  if (!isDated(source)) {
    if (explicit !== null && (explicit.length !== 1 || explicit[0] !== today)) {
      throw new RetrainError(
        'USAGE',
        `source ${name} tells of the present only, which is ${today}, and ${explicit[0]} was asked for; ${isHttp(source) ? 'put {day} into its url' : 'take past: false away'} if it knows other days`,
      );
    }
    return { source: name, days: [today], left: 0, inOrder };
  }
  if (explicit !== null) return { source: name, days: explicit, left: 0, inOrder };
  const newest = dayAfter(today, -source.lag_days);
  const known = new Set(collected);
  const first = [source.start, ...collected].filter((day) => day !== undefined).sort()[0] ?? newest;
  const recheckFrom = dayAfter(newest, -source.recheck_days);
  const due = daysFrom(first, newest).filter(
    (day) => !known.has(day) || day >= recheckFrom || open.includes(day),
  );
  return { source: name, days: due.slice(0, catchUp), left: Math.max(0, due.length - catchUp), inOrder };
}

/** Null: none were named. */
function askedDays({ day, from, to }: CollectRequest, today: string): string[] | null {
  const refused = (why: string): RetrainError => new RetrainError('USAGE', why);
  if (day !== undefined) {
    if (from !== undefined || to !== undefined)
      throw refused(`--day ${day} and --from or --to exclude each other; leave one out`);
    return [notFuture(day, today)];
  }
  if (from === undefined && to === undefined) return null;
  if (from === undefined) throw refused(`--to ${to ?? ''} needs a --from; say the first day, too`);
  const last = notFuture(to ?? today, today);
  if (from > last)
    throw refused(`--from ${from} is after --to ${last}; expected the first day, then the last`);
  const days = daysFrom(from, last);
  if (days.length <= MOST_ASKED) return days;
  throw refused(
    `--from ${from} --to ${last} are ${days.length} days, expected at most ${MOST_ASKED} at once; ask for them in parts`,
  );
}

function notFuture(day: string, today: string): string {
  if (day <= today) return day;
  throw new RetrainError('USAGE', `${day} is yet to come, as today is ${today}; expected a day up to then`);
}

function daysFrom(first: string, last: string): string[] {
  const days: string[] = [];
  for (let day = first; day <= last; day = dayAfter(day, 1)) days.push(day);
  return days;
}
