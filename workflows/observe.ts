import {
  isCancellation,
  proxySinks,
  TemporalFailure,
  workflowInfo,
  type WorkflowInterceptors,
} from '@temporalio/workflow';
import { defineSearchAttributeKey } from '@temporalio/common';
import { SEARCH_ATTRIBUTE, STAGES, WORKFLOW } from '../contracts/names';
import { type ObservedSinks, type WorkflowEnd } from '../contracts/observed';
import { type TrainingResult } from '../contracts/run';

const { observed } = proxySinks<ObservedSinks>();
const modelKey = defineSearchAttributeKey(SEARCH_ATTRIBUTE.model, 'KEYWORD');
const stageKey = defineSearchAttributeKey(SEARCH_ATTRIBUTE.stage, 'KEYWORD');

/** Found by this name in the bundle: what metrics and log lines need to know of a workflow. It issues no command: histories stay as they are. */
export const interceptors = (): WorkflowInterceptors => {
  let asked: string | undefined;
  const model = (): string => workflowInfo().typedSearchAttributes.get(modelKey) ?? asked ?? '';
  return {
    inbound: [
      {
        async execute(input, next) {
          asked = modelOf(input.args[0]);
          try {
            const result = await next(input);
            tellEnd(model(), outcomeOf(result));
            return result;
          } catch (error) {
            // Any other error fails the task, which is tried again, or continues as new.
            if (error instanceof TemporalFailure)
              tellEnd(model(), isCancellation(error) ? 'cancelled' : 'failed');
            throw error;
          }
        },
      },
    ],
    outbound: [
      {
        getLogAttributes(attributes, next) {
          const stage = STAGES.find((name) => name === workflowInfo().typedSearchAttributes.get(stageKey));
          return next({
            ...attributes,
            ...(model() === '' ? {} : { model: model() }),
            ...(stage === undefined ? {} : { stage }),
          });
        },
        async scheduleActivity(input, next) {
          try {
            return await next(input);
          } catch (error) {
            if (input.activityType === 'sendNotice' && !isCancellation(error))
              observed.noticeGivenUp({ channel: channelOf(input.args[0]) });
            throw error;
          }
        },
      },
    ],
  };
};

function tellEnd(model: string, outcome: WorkflowEnd['outcome']): void {
  observed.workflowEnded({ model, outcome, durationMs: Date.now() - workflowInfo().startTime.getTime() });
}

function outcomeOf(result: unknown): WorkflowEnd['outcome'] {
  const { workflowType, workflowId, runId } = workflowInfo();
  if (workflowType !== WORKFLOW.trainingPipeline) return 'completed';
  const training = result as TrainingResult;
  if (training.workflowId !== workflowId) return 'followed';
  return training.workflowRunId === runId ? training.outcome : 'known';
}

/** Each workflow of ours says it in its input, if it is about a model. */
function modelOf(input: unknown): string | undefined {
  const { model, spec, notice } = (input ?? {}) as {
    model?: unknown;
    spec?: { params?: { model?: unknown } };
    notice?: { model?: unknown };
  };
  return [model, spec?.params?.model, notice?.model].find((name) => typeof name === 'string');
}

function channelOf(input: unknown): string {
  const { channel } = (input ?? {}) as { channel?: unknown };
  return typeof channel === 'string' ? channel : 'unknown';
}
