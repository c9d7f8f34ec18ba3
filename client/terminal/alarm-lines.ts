import { type OpenAlarm } from '../../contracts/alarm';
import { plainLine } from '../../contracts/plain-words';
import { paint } from './screen';

/** An open alarm as `--json` prints it. */
export interface ShownAlarm {
  key: string;
  title: string;
  detail: string;
  rows: number;
  since: string;
  seen: string;
  next: string;
}

/** @param version of the model that the alarm is about */
export function shownAlarm({ cause, since, seen }: OpenAlarm, model: string, version: string): ShownAlarm {
  const { key, title, detail, rows } = cause;
  return { key, title, detail, rows, since, seen, next: nextStep(key, model, version) };
}

/** What somebody who sees an alarm does next, by the kind of its cause. */
function nextStep(key: string, model: string, version: string): string {
  const [family, kind] = key.split(':');
  switch (family) {
    case 'drift':
      return `see what drifted: retrain drift ${model}@${version} --report drift.html`;
    case 'accuracy':
      return kind === 'estimated'
        ? 'send labels to POST /feedback, which tell whether it is so'
        : `train on newer data: retrain start --wait, or go back: retrain rollback ${model}`;
    case 'training':
      return `see what it was held against: retrain show ${/^v\d{1,9}$/.test(kind ?? '') ? kind : `${model}@${version}`}`;
    default:
      return 'mend what keeps it from being checked; the next check tries again';
  }
}

/** A row for each open alarm: what, since when, what next. */
export function alarmRows(alarms: readonly ShownAlarm[]): string[][] {
  return alarms.map(({ title, since, next }) => [
    `  ${paint.bad(plainLine(title))}`,
    paint.dim(`since ${since.slice(0, 16).replace('T', ' ')} UTC`),
    `next: ${plainLine(next)}`,
  ]);
}
