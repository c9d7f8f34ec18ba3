import { type Client } from '@temporalio/client';
import { type Info } from '@temporalio/activity';
import { isErrorCode } from '../../contracts/errors';

/** Ends of attempts on this worker that are kept in mind for the next one. */
const MOST_KEPT = 1000;

/** Numbers of temporal.api.enums.v1.TimeoutType. */
const TIMEOUT: Readonly<Record<number, string>> = {
  1: 'start_to_close',
  2: 'schedule_to_start',
  3: 'schedule_to_close',
  4: 'heartbeat',
};

/**
 * Why an attempt follows another: an error code of ours, `heartbeat` or another time-out, `interrupted`, `failed`, or `unknown`. A failure on
 * this worker is remembered; of any other (the worker was killed) the server is asked, once for that attempt.
 */
export class RetryReasons {
  private readonly kept = new Map<string, string>();

  constructor(private readonly client: Pick<Client, 'workflow'>) {}

  /** An attempt failed here. @param type of its failure */
  remember(info: Info, type: string): void {
    if (this.kept.size >= MOST_KEPT) this.kept.delete(this.kept.keys().next().value ?? '');
    this.kept.set(keyOf(info, info.attempt), reasonOf(type));
  }

  /** Of the attempt before this one. It never fails. */
  async before(info: Info): Promise<string> {
    const key = keyOf(info, info.attempt - 1);
    const known = this.kept.get(key);
    this.kept.delete(key);
    if (known !== undefined) return known;
    try {
      return await this.fromServer(info);
    } catch {
      return 'unknown';
    }
  }

  private async fromServer({ workflowExecution, activityId }: Info): Promise<string> {
    if (workflowExecution === undefined) return 'unknown';
    const { workflowId, runId } = workflowExecution;
    const { raw } = await this.client.workflow.getHandle(workflowId, runId).describe();
    const failure = raw.pendingActivities?.find((one) => one.activityId === activityId)?.lastFailure;
    if (failure?.timeoutFailureInfo != null)
      return TIMEOUT[Number(failure.timeoutFailureInfo.timeoutType)] ?? 'unknown';
    return failure == null ? 'unknown' : reasonOf(failure.applicationFailureInfo?.type ?? '');
  }
}

/** An activity says its errors' codes itself; anything else could be any text. */
function reasonOf(type: string): string {
  if (type === 'WORKER_STOPPED') return 'interrupted';
  return isErrorCode(type) ? type : 'failed';
}

const keyOf = ({ workflowExecution, activityId }: Info, attempt: number): string =>
  `${workflowExecution?.runId ?? ''} ${activityId} ${attempt}`;
