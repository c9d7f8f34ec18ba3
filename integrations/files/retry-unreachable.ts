import { setTimeout as sleep } from 'node:timers/promises';
import { RetrainError } from '../../contracts/errors';

export interface RetryRule {
  /** The first one included. Default 8: with the waits below, half a minute of trouble is ridden out. */
  attempts?: number;
  /** Wait before the second attempt; doubles each time, up to 8 s, each cut at random to half or more. Default 250 ms. */
  firstWaitMs?: number;
  signal?: AbortSignal;
}

const LONGEST_WAIT_MS = 8000;

/** Repeats what failed with REMOTE_UNREACHABLE; all other errors come through at once. */
export async function retrying<T>(work: () => Promise<T>, rule: RetryRule = {}): Promise<T> {
  const attempts = rule.attempts ?? 8;
  for (let attempt = 1; ; attempt++) {
    rule.signal?.throwIfAborted();
    try {
      return await work();
    } catch (error) {
      const again = error instanceof RetrainError && error.code === 'REMOTE_UNREACHABLE';
      if (!again || attempt >= attempts) throw error;
      const wait = Math.min(LONGEST_WAIT_MS, (rule.firstWaitMs ?? 250) * 2 ** (attempt - 1));
      await sleep(wait * (0.5 + Math.random() / 2), undefined, rule.signal && { signal: rule.signal });
    }
  }
}
