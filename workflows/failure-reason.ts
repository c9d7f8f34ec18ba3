import {
  ActivityFailure,
  ApplicationFailure,
  CancelledFailure,
  TimeoutFailure,
  rootCause,
} from '@temporalio/workflow';

/** One line for people: what the activity said, and not that an activity failed. */
export function failureReason(error: unknown): string {
  if (error instanceof ActivityFailure) {
    const { cause } = error;
    if (cause instanceof ApplicationFailure) return cause.message;
    if (cause instanceof TimeoutFailure) return `${error.activityType} timed out (${cause.timeoutType})`;
    if (cause instanceof CancelledFailure) return `${error.activityType} was cancelled`;
  }
  return rootCause(error) ?? String(error);
}
