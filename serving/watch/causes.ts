import { type AlarmCause, type DriftedColumn, type DriftReport } from '../../contracts/drift';
import { plainLine } from '../../contracts/plain-words';

/** Names are strangers' words, and may be pages long. */
const LONGEST_NAME = 100;
/** With the words around it, the longest key that the contract takes. */
const LONGEST_KEY = 500;

/** Why somebody is alarmed, worst first: each alarm of a column, then the predictions, then the joint check. */
export function causesOf({ columns, prediction, joint, current }: Omit<DriftReport, 'causes'>): AlarmCause[] {
  const alarmed = columns.flatMap((column) =>
    column.alarms.map((alarm) => columnCause(column, alarm, current.rows)),
  );
  return [
    ...alarmed,
    ...(prediction === null || prediction.alarms.length === 0
      ? []
      : [predictionCause(prediction, current.rows)]),
    ...(joint?.alarm === true ? [jointCause(joint, current.rows)] : []),
  ];
}

function columnCause(
  column: DriftedColumn,
  alarm: DriftedColumn['alarms'][number],
  rows: number,
): AlarmCause {
  const { missing, strange, stability } = column;
  const name = shownName(column.name);
  const cause = {
    key: `drift:${column.name.slice(0, LONGEST_KEY)}:${alarm.replace(' ', '-')}`,
    column: column.name,
  };
  switch (alarm) {
    case 'missing':
      return {
        ...cause,
        title: `${name}: missing ${percent(missing.reference)} → ${percent(missing.current)}`,
        detail: `${percent(missing.reference)} of the training rows have no value there, and ${percent(missing.current)} of the rows now.`,
        rows: Math.round(missing.current * rows),
      };
    case 'new values': {
      const levels = strange.levels.slice(0, 5).map((level) => `"${shownName(level)}"`);
      return {
        ...cause,
        title: `${name}: new values in ${percent(strange.rows / Math.max(1, rows))} of the rows`,
        detail:
          column.kind === 'text'
            ? `No training row has ${levels.join(', ')}${strange.levels.length > levels.length ? ', …' : ''}.`
            : `${strange.rows.toLocaleString('en')} rows lie beyond the least and the largest value of the training rows.`,
        rows: strange.rows,
      };
    }
    case 'distribution':
      return {
        ...cause,
        title: `${name}: distribution, PSI ${stability.toFixed(2)}`,
        detail: movedMost(column),
        rows,
      };
  }
}

function predictionCause(prediction: DriftedColumn, rows: number): AlarmCause {
  return {
    key: 'drift:prediction',
    column: null,
    title: `the predictions: distribution, PSI ${prediction.stability.toFixed(2)}`,
    detail: `Against the model's answers to rows that were held out: ${movedMost(prediction)}`,
    rows,
  };
}

function jointCause({ auc, low, columns }: NonNullable<DriftReport['joint']>, rows: number): AlarmCause {
  const most = columns.length === 0 ? '' : `, most by ${columns.map(shownName).join(', ')}`;
  return {
    key: 'drift:joint',
    column: null,
    title: `columns together: AUC ${auc.toFixed(2)}`,
    detail: `A forest tells rows of now from training rows (AUC ${auc.toFixed(2)}, at least ${low.toFixed(2)})${most}.`,
    rows,
  };
}

/** The bin whose share changed most: `"up to 5.1": 10.0 % → 35.2 %.` */
function movedMost({ kind, bins }: DriftedColumn): string {
  // Shares of the rows that have a value: the last bin is that of missing ones.
  const shares = (counts: readonly number[]): number[] => {
    const present = counts.slice(0, -1);
    const sum = present.reduce((a, b) => a + b, 0) || 1;
    return present.map((count) => count / sum);
  };
  const [before, now] = [shares(bins.reference), shares(bins.current)];
  const change = (bin: number): number => Math.abs((now[bin] ?? 0) - (before[bin] ?? 0));
  const most = before.reduce((best, _, bin) => (change(bin) > change(best) ? bin : best), 0);
  const name = shownName(bins.bins[most] ?? '');
  return `${kind === 'text' ? `"${name}"` : name}: ${percent(before[most] ?? 0)} → ${percent(now[most] ?? 0)} of the rows.`;
}

export const shownName = (name: string): string =>
  plainLine(name.length > LONGEST_NAME ? `${name.slice(0, LONGEST_NAME)}…` : name);

export const percent = (share: number): string => `${(100 * share).toFixed(1)} %`;
