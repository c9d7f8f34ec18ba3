import {
  isCancellation,
  log,
  proxyActivities,
  setCurrentDetails,
  upsertSearchAttributes,
  type ActivityOptions,
} from '@temporalio/workflow';
import { defineSearchAttributeKey } from '@temporalio/common';
import { type AlarmAnswer, type AlarmFinding } from '../contracts/alarm';
import { SEARCH_ATTRIBUTE } from '../contracts/names';
import { markdownWords, plainLine } from '../contracts/plain-words';
import {
  type Look,
  type MonitorInput,
  type MonitorResult,
  type WatchActivities,
  type WatchSpec,
} from '../contracts/watch';
import { asking, checking, resolving, tracking } from './activity-options';
import { toldTraining } from './alarm-notices';
import { failureReason } from './failure-reason';
import { handToNotifier, unwatchedNotice } from './notices';

const modelKey = defineSearchAttributeKey(SEARCH_ATTRIBUTE.model, 'KEYWORD');
const alarmKey = defineSearchAttributeKey(SEARCH_ATTRIBUTE.alarm, 'KEYWORD');

/** Causes of one finding: `MOST_OPEN` of contracts/alarm. */
const MOST_CAUSES = 100;

/**
 * Checks a model once: whether rows of now drifted from its training rows, whether its accuracy holds, and whether its newest training
 * gained what its data changed. What is found goes to the model's alarm desk, which tells people what is new. The same moment checked
 * twice tells nothing twice.
 */
export async function monitorModel(input: MonitorInput): Promise<MonitorResult> {
  const watch = await settled(input);
  const { model, modelVersion, data, from, now } = watch;
  const owner = watch.project === undefined ? {} : { project: watch.project };
  upsertSearchAttributes([{ key: modelKey, value: model }]);
  const rows = data === null ? `predictions from ${from} to ${now}` : markdownWords(data);
  const headline = `**${markdownWords(model)}** version ${markdownWords(modelVersion)}: ${rows}`;
  setCurrentDetails(headline);

  // One after the other: each reads the log, and takes its memory.
  const drift = await act(checking, plainLine(`drift of ${data ?? 'the prediction log'}`)).lookForDrift({
    watch,
    ...owner,
  });
  const accuracy = await act(checking, 'accuracy, live and estimated').lookAtAccuracy({ watch, ...owner });
  const training = await act(checking, 'data and gain of the newest training').lookAtTraining({
    watch,
    ...owner,
  });
  const looks: Look[] = [drift, accuracy, training];
  const run = await act(tracking, 'figures to MLflow').recordWatch({
    watch,
    looks: looks.map((look) => ({ ...look, causes: [] })),
    ...owner,
  });
  const causes = [...looks.flatMap((look) => look.causes), ...troubles({ drift, accuracy, training })];
  const finding: AlarmFinding = {
    checkId: watch.checkId,
    model,
    modelVersion,
    at: now,
    checked: [...looks.flatMap(({ checked }) => checked), 'watch'],
    causes: causes.slice(0, MOST_CAUSES),
    more: looks.reduce((sum, { more }) => sum + more, Math.max(0, causes.length - MOST_CAUSES)),
    report: drift.report,
    ...run,
    policy: watch.policy,
    ...owner,
  };
  const answer = await act(asking, `${causes.length} causes to the alarm desk`).tellDesk({
    finding,
    asked: input.model,
    ...owner,
  });
  const notes = { drift: drift.note, accuracy: accuracy.note, training: training.note };
  const worst = answer.supersededBy === undefined ? causes[0]?.key.slice(0, 200) : undefined;
  upsertSearchAttributes([{ key: alarmKey, value: worst ?? 'none' }]);
  setCurrentDetails([headline, ...told(notes), ...toldAnswer(answer)].join('\n\n'));
  return { model, modelVersion, now, notes, report: drift.report?.url ?? null, ...run, ...answer };
}

async function settled(input: MonitorInput): Promise<WatchSpec> {
  try {
    return await act(resolving, 'read params.yaml, find the version').resolveWatch(input);
  } catch (error) {
    if (isCancellation(error)) throw error;
    const reason = failureReason(error);
    log.error('model not checked', { reason });
    // A schedule's mistake would otherwise go unseen.
    await handToNotifier(unwatchedNotice(nameIn(input), reason));
    throw error;
  }
}

function nameIn(input: unknown): string {
  const model = typeof input === 'object' && input !== null && 'model' in input ? input.model : undefined;
  return typeof model === 'string' ? model.slice(0, 100) : 'unknown';
}

/** What could not be looked at is an alarm of its own, told once as any other. */
function troubles(looks: Record<'drift' | 'accuracy' | 'training', Look>): AlarmFinding['causes'] {
  return Object.entries(looks).flatMap(([part, { trouble }]) =>
    trouble === null
      ? []
      : [
          {
            key: `watch:${part}`,
            column: null,
            title: `${part} cannot be checked`,
            detail: plainLine(trouble).slice(0, 500),
            rows: 0,
          },
        ],
  );
}

const told = ({ drift, accuracy, training }: MonitorResult['notes']): string[] => [
  `| | |\n|---|---|\n| drift | ${markdownWords(drift)} |\n| accuracy | ${markdownWords(accuracy)} |\n| training | ${markdownWords(training)} |`,
];

function toldAnswer({ raised, resolved, open, heldUntil, training, supersededBy }: AlarmAnswer): string[] {
  if (supersededBy !== undefined) {
    return [
      `Version ${markdownWords(supersededBy)} took its place meanwhile: nothing was told of this one, and the next check is of that.`,
    ];
  }
  const named = (titles: readonly string[]): string => markdownWords(titles.slice(0, 5).join(', '));
  return [
    open.length === 0 ? 'No alarm is open.' : `Open: ${open.length} (${named(open)})`,
    ...(raised.length === 0 ? [] : [`New: ${named(raised)}`]),
    ...(resolved.length === 0 ? [] : [`Resolved: ${named(resolved)}`]),
    ...(heldUntil === null ? [] : [`Notices are held back until ${heldUntil}`]),
    ...(training === null ? [] : [markdownWords(toldTraining(training))]),
  ];
}

/** Activities under the given limits, with a line for the Web UI's timeline. */
function act(options: ActivityOptions, summary: string): WatchActivities {
  return proxyActivities<WatchActivities>({ ...options, summary: summary.slice(0, 180) });
}
