import { CancelledFailure, ApplicationFailure } from '@temporalio/common';
import { Context } from '@temporalio/activity';
import {
  type ActivityInboundCallsInterceptor,
  type ActivityExecuteInput,
  type Next,
} from '@temporalio/worker';
import { RetrainError } from '../contracts/errors';
import { plainWords } from '../contracts/plain-words';
import { storageTrouble } from '../integrations/files/storage-trouble';

/** An error that is none of ours may quote anything. */
const MOST_CHARACTERS = 4000;

/**
 * The one place where errors become Temporal failures: ours keep their code as the failure's type, and are
 * tried again or not as the table of errors says. Everything else is a fault of a stage, and retryable.
 */
export class FailureInterceptor implements ActivityInboundCallsInterceptor {
  /** @param folder where activities write what the file system's errors do not name: the state folder */
  constructor(private readonly folder: string) {}

  async execute(
    input: ActivityExecuteInput,
    next: Next<ActivityInboundCallsInterceptor, 'execute'>,
  ): Promise<unknown> {
    try {
      return await next(input);
    } catch (caught) {
      const error = storageTrouble(caught, { folder: this.folder }) ?? caught;
      const context = Context.current();
      const end = endOf(context);
      if (end === null && isUnforeseen(error)) {
        context.log.error('activity failed in a way that nobody foresaw', { error });
      }
      throw toFailure(error, end);
    }
  }
}

/**
 * Why an activity was told to end. interrupted: its worker stops, or lost sight of the server, or an operator paused or reset the
 * activity: nobody called the work off, and another attempt does it again.
 */
export type End = 'cancelled' | 'interrupted';

/** Null: it was not told to. */
function endOf({ cancellationSignal, cancellationDetails }: Context): End | null {
  if (!cancellationSignal.aborted) return null;
  return cancellationDetails?.cancelRequested === true ? 'cancelled' : 'interrupted';
}

/** Whether its trace is worth keeping: what we throw on purpose says all in its message. */
function isUnforeseen(error: unknown): boolean {
  const foreseen = [RetrainError, CancelledFailure, ApplicationFailure];
  return !foreseen.some((kind) => error instanceof kind);
}

/** @param end why the activity was told to end, if it was: what fails after that is the end. */
export function toFailure(error: unknown, end: End | null): unknown {
  if (end === 'interrupted') {
    return withoutTrace(
      ApplicationFailure.retryable(
        'the worker stopped while it ran; the next attempt does it again',
        'WORKER_STOPPED',
      ),
    );
  }
  if (error instanceof CancelledFailure || error instanceof ApplicationFailure) return error;
  if (end === 'cancelled') {
    return new CancelledFailure('cancelled while it ran', [], error instanceof Error ? error : undefined);
  }
  if (error instanceof RetrainError) {
    return withoutTrace(
      ApplicationFailure.create({
        message: error.message,
        type: error.code,
        nonRetryable: !error.retryable,
      }),
    );
  }
  return withoutTrace(
    ApplicationFailure.create({
      message: plainWords(error instanceof Error ? error.message : String(error)).slice(0, MOST_CHARACTERS),
      type: 'STAGE_FAILED',
      nonRetryable: false,
    }),
  );
}

/** Whoever opens the run in the Web UI reads what happened, and not where in our code; the worker's log has that. */
function withoutTrace(failure: ApplicationFailure): ApplicationFailure {
  failure.stack = '';
  return failure;
}
