import { CancelledFailure, ApplicationFailure } from '@temporalio/common';
import { Context } from '@temporalio/activity';
import {
  type ActivityInboundCallsInterceptor,
  type ActivityExecuteInput,
  type Next,
} from '@temporalio/worker';
import { RetrainError } from '../contracts/errors';

/**
 * The one place where errors become Temporal failures: ours keep their code as the failure's type, and are
 * tried again or not as the table of errors says. Everything else is a fault of a stage, and retryable.
 */
export class FailureInterceptor implements ActivityInboundCallsInterceptor {
  async execute(
    input: ActivityExecuteInput,
    next: Next<ActivityInboundCallsInterceptor, 'execute'>,
  ): Promise<unknown> {
    try {
      return await next(input);
    } catch (error) {
      throw toFailure(error, Context.current().cancellationSignal.aborted);
    }
  }
}

/** @param cancelled whether the activity had been cancelled by then: what fails after that is the cancellation. */
export function toFailure(error: unknown, cancelled: boolean): unknown {
  if (error instanceof CancelledFailure || error instanceof ApplicationFailure) return error;
  if (cancelled)
    return new CancelledFailure('cancelled while it ran', [], error instanceof Error ? error : undefined);
  if (error instanceof RetrainError) {
    return ApplicationFailure.create({
      message: error.message,
      type: error.code,
      nonRetryable: !error.retryable,
    });
  }
  return ApplicationFailure.create({
    message: error instanceof Error ? error.message : String(error),
    type: 'STAGE_FAILED',
    nonRetryable: false,
    ...(error instanceof Error ? { cause: error } : {}),
  });
}
