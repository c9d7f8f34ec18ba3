import { type Day } from './play-through';

/** A shift that is known: `90:level=1.6`. */
export interface Shift {
  day: number;
  what: string;
}

/** What the story must show of a shift, found in what the software told. */
export interface Found {
  shift: Shift;
  /** The first alarm on its day or later, before the next shift; null: none. */
  alarm: { day: number; titles: string[] } | null;
  /** The first version that came into production after that. */
  promoted: { day: number; version: string } | null;
}

/** @throws RangeError for a text that is no shift */
export function shiftOf(text: string): Shift {
  const [, day, what] = /^(\d+):(.+)$/.exec(text) ?? [];
  if (day === undefined || what === undefined)
    throw new RangeError(`--shift takes DAY:NAME=FACTOR such as 90:level=1.6, got ${text}`);
  return { day: Number(day), what };
}

/** What became of each shift. */
export function findings(days: readonly Day[], shifts: readonly Shift[]): Found[] {
  const sorted = [...shifts].sort((a, b) => a.day - b.day);
  return sorted.map((shift, at) => {
    const next = sorted[at + 1]?.day ?? Infinity;
    const alarm = days.find(({ number, check }) => number >= shift.day && number < next && raisedIn(check));
    const promoted = days.find(
      ({ number, trained }) => number >= (alarm?.number ?? Infinity) && trained?.outcome === 'promoted',
    );
    return {
      shift,
      alarm: alarm === undefined ? null : { day: alarm.number, titles: alarm.check?.raised ?? [] },
      promoted:
        promoted?.trained == null ? null : { day: promoted.number, version: promoted.trained.modelVersion },
    };
  });
}

/** What of the story did not come true; empty: all did. */
export function shortfalls(days: readonly Day[], found: readonly Found[], within: number): string[] {
  const last = days.at(-1);
  const version = days.findLast(({ trained }) => trained?.outcome === 'promoted')?.trained?.modelVersion;
  return [
    ...found.flatMap(({ shift, alarm, promoted }) => {
      if (alarm === null) return [`nobody was alarmed by ${shift.what} of day ${shift.day}`];
      const late =
        alarm.day - shift.day > within
          ? [
              `the alarm for ${shift.what} came after ${alarm.day - shift.day} days, expected at most ${within}`,
            ]
          : [];
      return promoted === null ? [...late, `no new version after ${shift.what} of day ${shift.day}`] : late;
    }),
    ...(last?.version === version
      ? []
      : [`version ${version} is in production, and ${last?.version} answers`]),
  ];
}

/** The story on one page. @param seconds that it took */
export function page(days: readonly Day[], found: readonly Found[], seconds: number): string {
  const checks = days.filter(({ check }) => check !== null);
  const asked = days.filter(({ version }) => version !== null);
  const early = checks.filter(
    ({ number, check }) => number < (found[0]?.shift.day ?? Infinity) && raisedIn(check),
  );
  const lines = [
    `Card prices, day ${days[0]?.number} to ${days.at(-1)?.number}, played through in ${minutes(seconds)}`,
    '',
    ...days.flatMap(eventsOf(found)),
    '',
    `Collected   ${sum(days.map(({ rows }) => rows))} rows of ${days.length} days, ${days.filter(({ rows }) => rows === 0).length} of them silent`,
    `Asked       ${asked.length} days’ prices by HTTP: ${versionsOf(asked)}`,
    `Checked     ${checks.length} times; before anything had changed ${early.length === 0 ? 'no alarm' : early.length === 1 ? '1 alarm' : `${early.length} alarms`}`,
    ...found.map(
      ({ shift, alarm, promoted }) =>
        `${`Day ${shift.day}`.padEnd(12)}${shift.what}: ${alarm === null ? 'no alarm' : `alarm after ${dayCount(alarm.day - shift.day)}`}, ${promoted === null ? 'no new version' : `v${promoted.version} in production after ${dayCount(promoted.day - shift.day)}`}`,
    ),
    `Error       ${errorsOf(days, found)}`,
    '',
  ];
  return lines.join('\n');
}

const raisedIn = (check: Day['check']): boolean => check !== null && check.raised.length > 0;
const sum = (numbers: readonly number[]): number => numbers.reduce((all, one) => all + one, 0);
const dayCount = (count: number): string => (count === 1 ? '1 day' : `${count} days`);
const minutes = (seconds: number): string => `${Math.floor(seconds / 60)} min ${Math.round(seconds % 60)} s`;

/** A line for a day on which something happened. */
function eventsOf(found: readonly Found[]): (day: Day) => string[] {
  return ({ number, date, check, trained }) => {
    const told = [
      ...found
        .filter(({ shift }) => shift.day === number)
        .map(({ shift }) => `known: ${shift.what} from here on`),
      ...firstOf('alarm', check?.raised ?? []),
      ...firstOf('over', check?.resolved ?? []),
      ...(trained === null ? [] : [trainingOf(trained)]),
    ];
    return told.length === 0 ? [] : [`  day ${String(number).padStart(3)}  ${date}  ${told.join('; ')}`];
  };
}

function firstOf(what: string, [first, ...others]: readonly string[]): string[] {
  if (first === undefined) return [];
  return [`${what}: ${first}${others.length === 0 ? '' : ` and ${others.length} more`}`];
}

/** The first clause of a reason is enough for a page. */
const trainingOf = ({ outcome, modelVersion, reason }: NonNullable<Day['trained']>): string =>
  outcome === 'promoted'
    ? `v${modelVersion} in production: ${reason.split(': ')[0]}`
    : `v${modelVersion} trained, ${outcome}`;

/** `v1 to day 104, v3 to day 180` */
function versionsOf(asked: readonly Day[]): string {
  const last = new Map<string, number>();
  for (const { version, number } of asked) if (version !== null) last.set(version, number);
  return [...last].map(([version, day]) => `v${version} to day ${day}`).join(', ');
}

/** Mean error before the first shift, and between a shift, its new version, and the next. */
function errorsOf(days: readonly Day[], found: readonly Found[]): string {
  const borders = found.flatMap(({ shift, promoted }) => [
    { from: shift.day, what: `after ${shift.what}` },
    ...(promoted === null ? [] : [{ from: promoted.day + 1, what: `with v${promoted.version}` }]),
  ]);
  const parts = [{ from: 0, what: 'before' }, ...borders].sort((a, b) => a.from - b.from);
  return parts
    .flatMap(({ from, what }, at) => {
      const to = parts[at + 1]?.from ?? Infinity;
      const errors = days.flatMap(({ number, error }) =>
        error !== null && number >= from && number < to ? [error] : [],
      );
      return errors.length === 0 ? [] : [`${what} ${((100 * sum(errors)) / errors.length).toFixed(1)} %`];
    })
    .join(', ');
}
