import { type DriftedColumn, type DriftReport } from '../../contracts/drift';
import { listed } from '../../contracts/errors';
import { percent, shownName } from '../../serving/watch/causes';
import { aligned, paint } from '../terminal/screen';

/** Quiet columns that are shown. */
const QUIET = 3;
/** Causes that are shown; the report has all. */
const CAUSES = 20;

/**
 * What a check of drift found, for people.
 *
 * @param link of the report in MLflow
 * @param html file that it was written to
 */
export function driftLines(report: DriftReport, link: string | null, html: string | null): string[] {
  const { causes } = report;
  const places = [
    ...(html === null ? [] : [[paint.dim('  report'), html]]),
    ...(link === null ? [] : [[paint.dim('  MLflow'), link]]),
  ];
  if (!report.enough) {
    return [
      `${paint.strong(named(report))}: too early to say. ${rowsText(report.current.of)}, and ${report.needed.toLocaleString('en')} are needed (drift.min_rows).`,
      ...aligned([[paint.dim('  now'), nowText(report)], ...places]),
    ];
  }
  const rest = causes.length - CAUSES;
  return [
    headline(report),
    ...aligned([
      [paint.dim('  now'), nowText(report)],
      [paint.dim('  then'), thenText(report)],
      ...report.notes.map((note) => [paint.dim('  note'), note]),
      ...(report.leftOut.length === 0
        ? []
        : [
            [
              paint.dim('  left out'),
              listed(report.leftOut.map(({ column, why }) => `${shownName(column)} (${why})`)),
            ],
          ]),
    ]),
    ...(causes.length === 0
      ? []
      : [
          '',
          ...causes
            .slice(0, CAUSES)
            .flatMap(({ title, detail }) => [`  ${paint.bad(title)}`, paint.dim(`    ${detail}`)]),
        ]),
    ...(rest > 0 ? [paint.dim(`  and ${rest} more; the report has all`)] : []),
    '',
    ...aligned([...quietRows(report), ...places]),
  ];
}

const named = ({ model, modelVersion }: DriftReport): string => `${model} v${modelVersion}`;

function headline(report: DriftReport): string {
  const { columns, causes, prediction, joint } = report;
  const model = paint.strong(named(report));
  if (causes.length === 0) {
    return `${model} ${paint.good('feels at home')}: no drift in ${columns.length === 1 ? 'its column' : `any of ${columns.length} columns`}.`;
  }
  const drifted = columns.filter(({ alarms }) => alarms.length > 0).length;
  const what = [
    ...(drifted > 0 ? [`${drifted} of ${columns.length} column${columns.length === 1 ? '' : 's'}`] : []),
    ...((prediction?.alarms.length ?? 0) > 0 ? ['the predictions'] : []),
    ...(joint?.alarm === true ? ['how columns go together'] : []),
  ];
  const many = what.length > 1 || drifted > 1;
  return `${model}: ${paint.bad(`${what.join(' and ')} ${many ? 'have' : 'has'} drifted`)}`;
}

function nowText({ current: { window, data, rows, of } }: DriftReport): string {
  const count = rows === of ? rowsText(of) : `a sample of ${rows.toLocaleString('en')} of ${rowsText(of)}`;
  if (window === null) return `${count} of ${data?.path ?? ''} (${data?.hash.slice(0, 12) ?? ''})`;
  return `${count} of the prediction log, ${minute(window.from)} to ${minute(window.to)}`;
}

function thenText({ reference: { rows, of, season } }: DriftReport): string {
  if (season !== null)
    return `${rowsText(rows, 'training row')} of the same ${shownName(season.column)}, of ${of.toLocaleString('en')}`;
  return rows === of
    ? rowsText(of, 'training row')
    : `a sample of ${rows.toLocaleString('en')} of ${rowsText(of, 'training row')}`;
}

/** What did not drift, the nearest to it first. */
function quietRows({ columns, prediction, joint }: DriftReport): string[][] {
  const quiet = columns.filter(({ alarms }) => alarms.length === 0);
  const rest = quiet.length - QUIET;
  const line = (column: DriftedColumn): string =>
    `PSI ${column.stability.toFixed(2)}${column.missing.current > 0 ? `, missing ${percent(column.missing.current)}` : ''}`;
  return [
    ...quiet.slice(0, QUIET).map((column) => [paint.dim(`  ${shownName(column.name)}`), line(column)]),
    ...(rest > 0
      ? [
          [
            paint.dim(`  and ${rest} more`),
            `at most PSI ${Math.max(...quiet.slice(QUIET).map(({ stability }) => stability)).toFixed(2)}`,
          ],
        ]
      : []),
    ...(prediction === null || prediction.alarms.length > 0
      ? []
      : [[paint.dim('  predictions'), `PSI ${prediction.stability.toFixed(2)}`]]),
    ...(joint === null || joint.alarm
      ? []
      : [
          [
            paint.dim('  together'),
            `AUC ${joint.auc.toFixed(2)} (${joint.low.toFixed(2)} … ${joint.high.toFixed(2)}; 0.5: cannot be told apart)`,
          ],
        ]),
  ];
}

const minute = (iso: string): string => iso.slice(0, 16).replace('T', ' ');

const rowsText = (rows: number, word = 'row'): string =>
  `${rows.toLocaleString('en')} ${word}${rows === 1 ? '' : 's'}`;
