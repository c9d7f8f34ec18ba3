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

/** Whether what an activity needs is gone from the content store, or damaged there. */
export function isMissingArtifact(error: unknown): boolean {
  const cause = error instanceof ActivityFailure ? error.cause : undefined;
  return (
    cause instanceof ApplicationFailure &&
    (cause.type === 'ARTIFACT_MISSING' || cause.type === 'ARTIFACT_DAMAGED')
  );
}
