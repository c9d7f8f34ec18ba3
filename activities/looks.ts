import { type AccuracyReport } from '../contracts/accuracy';
import { MOST_OPEN } from '../contracts/alarm';
import { type AlarmCause, type DriftReport } from '../contracts/drift';
import { type Look } from '../contracts/watch';
import { shown } from '../serving/watch/accuracy-causes';
import { percent } from '../serving/watch/causes';

/** Columns that have a gauge of their own: each is a series for whoever scrapes it. */
const MOST_COLUMNS = 20;
const LONGEST_NAME = 200;

/** A look for drift as it travels: what it found, a line, and its figures. */
export function driftLook(report: DriftReport): Look {
  const { enough, needed, current, columns, joint, causes } = report;
  const worst = columns[0];
  const note = !enough
    ? `${current.rows} rows, too few to say anything: ${needed} are needed`
    : causes.length === 0
      ? `${current.rows} rows look like the training rows`
      : `drifted: ${causes
          .slice(0, 3)
          .map(({ title }) => title)
          .join('; ')}${causes.length > 3 ? `; and ${causes.length - 3} more` : ''}`;
  return {
    checked: enough ? ['drift'] : [],
    ...bounded(causes),
    note,
    metrics: finite({
      drift_rows: current.rows,
      ...(worst === undefined
        ? {}
        : { drift_worst_stability: Math.max(...columns.map(({ stability }) => stability)) }),
      ...(joint === null ? {} : { drift_joint_auc: joint.auc }),
      drift_causes: causes.length,
    }),
    columns: finite(
      Object.fromEntries(
        [...columns]
          .sort((a, b) => b.stability - a.stability)
          .slice(0, MOST_COLUMNS)
          .map(({ name, stability }) => [name.slice(0, LONGEST_NAME), stability]),
      ),
    ),
    trouble: null,
  };
}

/** A look at accuracy likewise. */
export function accuracyLook(report: AccuracyReport): Look {
  const { live, estimated, labels, rows, metric } = report;
  const check = estimated?.check;
  return {
    checked: [
      ...(live.length > 0 ? ['accuracy:live' as const] : []),
      ...(estimated === null ? [] : ['accuracy:estimated' as const]),
    ],
    ...bounded(report.causes),
    note: accuracyNote(report),
    metrics: finite({
      answered_rows: rows,
      labels: labels.rows,
      labelled_share: labels.share,
      ...Object.fromEntries(live.map((one) => [`live_${one.metric}`, one.value])),
      ...Object.fromEntries(
        live.flatMap((one) =>
          one.metric === metric
            ? [
                [`live_${metric}_low`, one.low],
                [`live_${metric}_high`, one.high],
              ]
            : [],
        ),
      ),
      ...(estimated === null
        ? {}
        : {
            [`estimated_${estimated.metric}`]: estimated.value,
            [`estimated_${estimated.metric}_low`]: estimated.low,
            [`estimated_${estimated.metric}_high`]: estimated.high,
          }),
      ...(check == null ? {} : { estimate_error: check.estimated - check.realised }),
      ...(labels.delay === null ? {} : { label_delay_median_s: labels.delay.median }),
    }),
    trouble: null,
  };
}

/** A line: what is known by labels, of how many, and what is thought where there are none. */
export function accuracyNote({
  rows,
  labels,
  live,
  estimated,
  estimatedNot,
  unmeasured,
  promised,
  metric,
}: AccuracyReport): string {
  if (rows === 0) return 'the log has no answers of this version in the window';
  const parts = [
    `${labels.rows} of ${rows} answers have a label (${percent(labels.share)})`,
    ...(labels.delay === null ? [] : [`after ${duration(labels.delay.median)} in the median`]),
  ];
  const told = live.map(
    (one) => `${one.metric} ${shown(one.value)} (${shown(one.low)} to ${shown(one.high)})`,
  );
  const was = promised?.metrics[metric];
  const strange = [
    ...(labels.unknown === 0 ? [] : [`${labels.unknown} labels are none of its classes`]),
    ...(labels.unreadable === 0
      ? []
      : [`${labels.unreadable} labels are no number that the target could be`]),
    ...(labels.early === 0 ? [] : [`${labels.early} labels are older than their answers: clocks differ`]),
  ];
  const check = estimated?.check;
  const guess =
    estimated === null
      ? `not estimated: ${estimatedNot ?? ''}`
      : `estimated ${estimated.metric} ${shown(estimated.value)} (${shown(estimated.low)} to ${shown(estimated.high)})${check == null ? '' : `, which of the labelled ones was ${shown(check.estimated)} and came to ${shown(check.realised)}`}`;
  return [
    parts.join(', '),
    labels.rows < labels.needed
      ? `too few to say anything: ${labels.needed} are needed`
      : `live ${told.length === 0 ? 'is not known' : told.join(', ')}${was === undefined ? '' : `, ${shown(was)} on held-out rows`}`,
    ...(unmeasured.length === 0 ? [] : [`not in the log: ${unmeasured.join(', ')}`]),
    ...strange,
    guess,
  ].join('; ');
}

function duration(seconds: number): string {
  if (seconds < 120) return `${Math.round(seconds)} s`;
  if (seconds < 7200) return `${Math.round(seconds / 60)} min`;
  return seconds < 172_800 ? `${Math.round(seconds / 3600)} h` : `${Math.round(seconds / 86_400)} days`;
}

function bounded(causes: readonly AlarmCause[]): Pick<Look, 'causes' | 'more'> {
  const kept = causes.slice(0, MOST_OPEN).map((cause) => ({
    ...cause,
    title: cause.title.slice(0, 200),
    detail: cause.detail.slice(0, 500),
  }));
  return { causes: kept, more: causes.length - kept.length };
}

/** MLflow and JSON take no other numbers. */
function finite(metrics: Readonly<Record<string, number>>): Look['metrics'] {
  return Object.fromEntries(Object.entries(metrics).filter(([, value]) => Number.isFinite(value)));
}
