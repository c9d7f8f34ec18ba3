import { type AlarmFinding, type AlarmNotice, type AlarmTraining } from '../contracts/alarm';
import { type AlarmCause } from '../contracts/drift';
import { type Settled } from './alarm-book';

/** Causes that a notice names, the worst; the rest are counted. */
const NAMED = 5;

/** One notice for all that a check found new. */
export function raisedNotice(
  finding: AlarmFinding,
  { raised }: Settled,
  training: AlarmTraining | null,
): AlarmNotice {
  const [worst, ...others] = raised;
  const more = others.length + finding.more;
  const title = `${named(finding)}: ${worst?.title ?? 'alarm'}${more === 0 ? '' : `, and ${more} more`}`;
  const lines = raised.slice(0, NAMED).map(toldOf);
  const left = raised.length + finding.more - lines.length;
  return {
    ...about(finding, 'raised'),
    title,
    text: [
      ...lines,
      ...(left === 0 ? [] : [`${left} more: see the report.`]),
      ...(training === null ? [] : [toldTraining(training)]),
    ].join(' '),
    reason: raised
      .map(({ key }) => key)
      .join(', ')
      .slice(0, 1000),
  };
}

/** One notice for all that a check found to have ended. */
export function resolvedNotice(finding: AlarmFinding, { resolved, state }: Settled): AlarmNotice {
  const titles = resolved.map(({ cause, since }) => `${cause.title} (since ${minuteOf(since)})`);
  const shown = titles.slice(0, NAMED).join('; ');
  const more = titles.length > NAMED ? `; and ${titles.length - NAMED} more` : '';
  const rest = state.open.length === 0 ? 'Nothing else is open.' : `Still open: ${state.open.length}.`;
  return {
    ...about(finding, 'resolved'),
    title: `${named(finding)}: resolved, ${resolved.length === 1 ? resolved[0]?.cause.title : `${resolved.length} alarms`}`,
    text: `No longer found: ${shown}${more}. ${rest}`,
    reason: resolved
      .map(({ cause }) => cause.key)
      .join(', ')
      .slice(0, 1000),
  };
}

/** What a training that an alarm asked for came to. */
export function toldTraining({ how, workflowId, reason }: AlarmTraining): string {
  switch (how) {
    case 'started':
      return `A training was started: ${workflowId ?? ''}.`;
    case 'attached':
      return `A training of the data as they are goes on already: ${workflowId ?? ''}.`;
    case 'finished':
      return `No training was started: the data as they are have been trained on already (${reason}). New data are needed.`;
    case 'failed':
      return `A training could not be started: ${reason}.`;
  }
}

function about(
  { checkId, model, modelVersion, mlflowRunId, mlflowExperimentId, report, at }: AlarmFinding,
  what: 'raised' | 'resolved',
): Pick<AlarmNotice, 'id' | 'modelVersion' | 'mlflowRunId' | 'mlflowExperimentId' | 'report' | 'at'> {
  const id = `alarms-${model}-${checkId}-${what}`;
  return { id, modelVersion, mlflowRunId, mlflowExperimentId, report: report?.url ?? null, at };
}

function toldOf({ title, detail, rows }: AlarmCause): string {
  const end = /[.!?]$/.test(detail) ? '' : '.';
  return `${title}: ${detail}${end}${rows === 0 ? '' : ` ${rows} rows.`}`;
}

const named = ({ model, modelVersion }: AlarmFinding): string => `${model} v${modelVersion}`;

const minuteOf = (iso: string): string => `${iso.slice(0, 16).replace('T', ' ')} UTC`;
