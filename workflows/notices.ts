import { ParentClosePolicy, log, startChild, workflowInfo } from '@temporalio/workflow';
import { type DeliverNoticeInput } from '../contracts/activities';
import { WORKFLOW } from '../contracts/names';
import { type Notice, type NoticeKind } from '../contracts/notice';
import { type RunSpec, type TrainingResult } from '../contracts/run';

/** What every notice of this run says about it. `links` are filled in by the worker, which knows the addresses. */
function about(
  kind: NoticeKind,
  subject: { model: string; pipelineKey: string },
  reason: string,
): Omit<Notice, 'title' | 'text'> {
  const { workflowId, runId } = workflowInfo();
  return {
    id: `${runId}-${kind}`,
    kind,
    ...subject,
    workflowId,
    workflowRunId: runId,
    reason,
    links: {},
    at: new Date().toISOString(),
  };
}

const subject = (spec: RunSpec): { model: string; pipelineKey: string } => ({
  model: spec.params.model,
  pipelineKey: spec.pipelineKey,
});

/** For a run whose params or data could not even be read: a schedule's mistake would otherwise go unseen. */
export function unreadableNotice(paramsPath: string, reason: string): Notice {
  return {
    ...about('failure', { model: 'unknown', pipelineKey: '' }, reason),
    title: `A training could not start from ${paramsPath}`,
    text: sentence(reason),
  };
}

/** For a check that could not even begin. */
export function unwatchedNotice(model: string, reason: string): Notice {
  return {
    ...about('failure', { model, pipelineKey: '' }, reason),
    title: `${model} could not be checked`,
    text: sentence(reason),
  };
}

/** For a collection of which some days failed. */
export function collectNotice(model: string, reason: string): Notice {
  return {
    ...about('failure', { model, pipelineKey: '' }, reason),
    title: `Collecting the data of ${model} failed`,
    text: `${sentence(reason)} What is not collected is due again the next time.`,
  };
}

export function endNotice(spec: RunSpec, result: TrainingResult): Notice | null {
  const named = `${result.model} v${result.modelVersion}`;
  const facts = {
    mlflowRunId: result.mlflowRunId,
    mlflowExperimentId: result.mlflowExperimentId,
    modelVersion: result.modelVersion,
    metrics: result.metrics,
  };
  switch (result.outcome) {
    case 'promoted':
      return {
        ...about('promotion', subject(spec), result.reason),
        ...facts,
        title: `${named} is in production`,
        text: sentence(result.reason),
      };
    case 'gate_failed':
      return {
        ...about('gate_failed', subject(spec), result.reason),
        ...facts,
        title: `${named} did not pass the quality gate`,
        text: `${sentence(result.reason)} Production is unchanged.`,
      };
    case 'awaiting_approval':
      return {
        ...about('approval', subject(spec), result.reason),
        ...facts,
        ...(result.evidence === undefined ? {} : { evidence: result.evidence }),
        title: `${named} waits for approval`,
        text: `${sentence(result.reason)} Approve it with \`retrain approve ${result.model} --version ${result.modelVersion} --reason …\`; production is unchanged.`,
      };
    case 'staged':
      return null;
  }
}

export function failureNotice(spec: RunSpec, reason: string, mlflowRunId?: string): Notice {
  return {
    ...about('failure', subject(spec), reason),
    ...(mlflowRunId === undefined ? {} : { mlflowRunId }),
    title: `Training of ${spec.params.model} failed`,
    text: `${sentence(reason)} Production is unchanged.`,
  };
}

const LEVEL = {
  failure: 'error',
  gate_failed: 'error',
  promotion: 'info',
  approval: 'info',
  approval_expired: 'warn',
  rollback: 'warn',
  outside_move: 'warn',
  drift: 'warn',
} as const satisfies Record<NoticeKind, string>;

/**
 * Writes a notice to the log and hands it to a workflow of its own, which outlives this one and keeps trying: a notifier that is
 * down neither fails nor delays a run.
 */
export async function handToNotifier(notice: Notice, channels?: string[]): Promise<void> {
  log[LEVEL[notice.kind]]('notice', { ...notice });
  if (channels?.length === 0) return;
  await startChild(WORKFLOW.deliverNotice, {
    workflowId: `notice-${notice.id}`,
    args: [{ notice, ...(channels === undefined ? {} : { channels }) } satisfies DeliverNoticeInput],
    parentClosePolicy: ParentClosePolicy.ABANDON,
    staticSummary: notice.title,
  });
}

function sentence(text: string): string {
  const capital = text.charAt(0).toUpperCase() + text.slice(1);
  return /[.!?]$/.test(capital) ? capital : `${capital}.`;
}
