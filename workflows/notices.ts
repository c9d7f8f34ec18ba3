import { ParentClosePolicy, startChild, workflowInfo } from '@temporalio/workflow';
import { type DeliverNoticeInput } from '../contracts/activities';
import { WORKFLOW } from '../contracts/names';
import { type Notice, type NoticeKind } from '../contracts/notice';
import { type RunSpec, type TrainingResult } from '../contracts/run';

/** What every notice of this run says about it. `links` are filled in by the worker, which knows the addresses. */
function about(kind: NoticeKind, spec: RunSpec, reason: string): Omit<Notice, 'title' | 'text'> {
  const { workflowId, runId } = workflowInfo();
  return {
    id: `${runId}-${kind}`,
    kind,
    model: spec.params.model,
    pipelineKey: spec.pipelineKey,
    workflowId,
    workflowRunId: runId,
    reason,
    links: {},
    at: new Date().toISOString(),
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
        ...about('promotion', spec, result.reason),
        ...facts,
        title: `${named} is in production`,
        text: sentence(result.reason),
      };
    case 'gate_failed':
      return {
        ...about('gate_failed', spec, result.reason),
        ...facts,
        title: `${named} did not pass the quality gate`,
        text: `${sentence(result.reason)} Production is unchanged.`,
      };
    case 'staged':
      return null;
  }
}

export function failureNotice(spec: RunSpec, reason: string, mlflowRunId?: string): Notice {
  return {
    ...about('failure', spec, reason),
    ...(mlflowRunId === undefined ? {} : { mlflowRunId }),
    title: `Training of ${spec.params.model} failed`,
    text: `${sentence(reason)} Production is unchanged.`,
  };
}

/**
 * Hands a notice to a workflow of its own, which outlives this one and keeps trying: a notifier that is
 * down neither fails nor delays a run.
 */
export async function handToNotifier(notice: Notice, channels?: string[]): Promise<void> {
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
