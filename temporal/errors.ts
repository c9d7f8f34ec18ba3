import {
  CancelledFailure,
  ServiceError,
  TerminatedFailure,
  WorkflowFailedError,
  WorkflowNotFoundError,
} from '@temporalio/client';
import { ActivityFailure, ApplicationFailure, TimeoutFailure } from '@temporalio/common';
import { RetrainError, isErrorCode } from '../contracts/errors';

/** gRPC status numbers that mean "not there" and not "no". */
const UNREACHABLE = new Set([4 /* DEADLINE_EXCEEDED */, 14 /* UNAVAILABLE */]);

interface GrpcError {
  code?: number;
  details?: string;
}

/**
 * Says a Temporal client's error as ours. `ServiceError.message` is generic: the server's reason is in
 * its cause.
 */
export function fromTemporal(error: unknown, address: string): unknown {
  if (error instanceof WorkflowNotFoundError) {
    return new RetrainError('NOT_FOUND', `${error.workflowId}: no such workflow at ${address}`, {
      cause: error,
    });
  }
  if (!(error instanceof ServiceError)) return error;
  const { code, details } = (error.cause ?? {}) as GrpcError;
  const reason = details !== undefined && details !== '' ? details : error.message;
  if (code !== undefined && UNREACHABLE.has(code)) {
    return new RetrainError(
      'TEMPORAL_UNREACHABLE',
      `no Temporal server answers at ${address} (${reason}); start one with \`retrain up\`, or correct TEMPORAL_ADDRESS`,
      { cause: error },
    );
  }
  return new RetrainError('TEMPORAL_REFUSED', `Temporal at ${address} refused the request: ${reason}`, {
    cause: error,
  });
}

/** Why a run did not come to a result: its own error, with the code that its exit status follows from. */
export function fromFailedRun(error: unknown): unknown {
  if (!(error instanceof WorkflowFailedError)) return error;
  const { cause } = error;
  if (cause instanceof CancelledFailure) {
    return new RetrainError('RUN_CANCELLED', 'the run was cancelled', { cause: error });
  }
  if (cause instanceof TerminatedFailure) {
    return new RetrainError('RUN_CANCELLED', `the run was terminated: ${cause.message}`, { cause: error });
  }
  const inner = cause instanceof ActivityFailure ? cause.cause : cause;
  if (inner instanceof ApplicationFailure) {
    const code = inner.type != null && isErrorCode(inner.type) ? inner.type : 'RUN_FAILED';
    return new RetrainError(code, inner.message, { cause: error });
  }
  if (inner instanceof TimeoutFailure && cause instanceof ActivityFailure) {
    return new RetrainError('RUN_FAILED', `${cause.activityType} timed out (${inner.timeoutType})`, {
      cause: error,
    });
  }
  return new RetrainError('RUN_FAILED', inner?.message ?? error.message, { cause: error });
}
