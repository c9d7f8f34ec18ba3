import { withRetries, type RetryRule } from '../files/retry';

export { retryAfterMs } from '../files/retry';
import { MlflowError } from './errors';

/** About 6 s in all: rides out a restart of a proxy. Longer outages are Temporal’s to retry. */
export const PATIENT: RetryRule = { attempts: 6, firstWaitMs: 100, longestWaitMs: 5_000 };

/** For look-ups that somebody waits for at a prompt. */
export const BRIEF: RetryRule = { attempts: 2, firstWaitMs: 100, longestWaitMs: 500 };

/** Repeats a request as the rule says, and never sooner than the server's Retry-After. */
export function retryRequest<T>(
  rule: RetryRule,
  signal: AbortSignal | undefined,
  attempt: () => Promise<T>,
): Promise<T> {
  const mayPass = (error: unknown): boolean => error instanceof MlflowError && error.retryable;
  const askedWaitMs = (error: unknown): number =>
    error instanceof MlflowError ? (error.retryAfterMs ?? 0) : 0;
  return withRetries({ rule, mayPass, askedWaitMs, signal }, attempt);
}
