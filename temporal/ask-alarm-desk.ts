import { type Client } from '@temporalio/client';
import { type AlarmAnswer, type AlarmDeskInput, type AlarmFinding } from '../contracts/alarm';
import { alarmDeskWorkflowId, UPDATE, WORKFLOW } from '../contracts/names';
import { askLasting } from './ask-lasting';

/**
 * Tells a model's alarm desk what a check found, and starts it if it does not run. By the check's id it is told once, however often.
 *
 * @throws RetrainError the desk's refusal; NO_WORKER when no worker polls its task queue
 */
export function tellAlarmDesk(
  { client, taskQueue }: { client: Client; taskQueue: string },
  finding: AlarmFinding,
  signal?: AbortSignal,
): Promise<AlarmAnswer> {
  const { model, checkId, project } = finding;
  return askLasting<AlarmAnswer>({
    client,
    taskQueue,
    ...(project === undefined ? {} : { project }),
    ...(signal === undefined ? {} : { signal }),
    workflowId: alarmDeskWorkflowId(model),
    who: `the alarm desk of ${model}`,
    from: 'the tags in MLflow',
    start: {
      workflowType: WORKFLOW.alarmDesk,
      args: [{ model } satisfies AlarmDeskInput],
      staticSummary: `alarms of ${model}`,
      staticDetails: `Knows which alarms of **${model}** are open, and tells each once. See \`retrain alarms ${model}\`.`,
    },
    update: UPDATE.settle,
    args: finding,
    id: checkId,
  });
}
