import { RetrainError } from '../../contracts/errors';
import { withRetries } from './retry';

export interface RemotePatience {
  /** The first one included. Default 8: with the waits below, half a minute of trouble is ridden out. */
  attempts?: number;
  /** Bound of the wait before the second attempt; doubles each time, up to 16 s. Default 500 ms. */
  firstWaitMs?: number;
  signal?: AbortSignal;
}

const LONGEST_WAIT_MS = 16_000;

/** Repeats what failed with REMOTE_UNREACHABLE; all other errors come through at once. */
export async function retryUnreachable<T>(
  work: () => Promise<T>,
  { attempts = 8, firstWaitMs = 500, signal }: RemotePatience = {},
): Promise<T> {
  const rule = { attempts, firstWaitMs, longestWaitMs: LONGEST_WAIT_MS };
  const mayPass = (error: unknown): boolean =>
    error instanceof RetrainError && error.code === 'REMOTE_UNREACHABLE';
  return withRetries({ rule, mayPass, signal }, work);
}
