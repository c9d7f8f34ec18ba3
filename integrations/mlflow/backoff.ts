import { setTimeout as sleep } from 'node:timers/promises';
import { MlflowError } from './errors';

/** How often and how patiently a request is repeated. */
export interface RetryRule {
  /** Attempts in all, the first included. */
  attempts: number;
  /** Upper bound of the wait before the second attempt in ms; it doubles with each further one. */
  baseMs: number;
  /** No wait is longer, in ms; a longer Retry-After ends the attempts. */
  capMs: number;
}

/** About 6 s in all: rides out a restart of a proxy. Longer outages are Temporal’s to retry. */
export const PATIENT: RetryRule = { attempts: 6, baseMs: 100, capMs: 5_000 };

/** For look-ups that somebody waits for at a prompt. */
export const BRIEF: RetryRule = { attempts: 2, baseMs: 100, capMs: 500 };

/**
 * Runs `attempt` until it succeeds, fails for good, or the rule is used up; then throws the last error.
 * Waits with full jitter (a random time up to the bound), so that many workers don’t come back in step, and
 * never less than the server’s Retry-After.
 * Source: AWS Architecture Blog, “Exponential Backoff And Jitter”, 2015.
 */
export async function retrying<T>(
  rule: RetryRule,
  signal: AbortSignal | undefined,
  attempt: () => Promise<T>,
): Promise<T> {
  for (let made = 1; ; made += 1) {
    signal?.throwIfAborted();
    try {
      return await attempt();
    } catch (error) {
      signal?.throwIfAborted();
      const waitMs = waitBefore(rule, made, error);
      if (waitMs === undefined) throw error;
      await pause(waitMs, signal);
    }
  }
}

function waitBefore(rule: RetryRule, made: number, error: unknown): number | undefined {
  if (!(error instanceof MlflowError) || !error.retryable || made >= rule.attempts) return undefined;
  const wish = error.retryAfterMs ?? 0;
  if (wish > rule.capMs) return undefined;
  return Math.max(wish, Math.random() * Math.min(rule.capMs, rule.baseMs * 2 ** (made - 1)));
}

async function pause(ms: number, signal: AbortSignal | undefined): Promise<void> {
  try {
    await sleep(ms, undefined, signal === undefined ? {} : { signal });
  } catch (error) {
    signal?.throwIfAborted();
    throw error;
  }
}

/** The header Retry-After, seconds or an HTTP date, in ms from `now`; undefined when absent or unreadable. */
export function retryAfterMs(header: string | undefined, now = Date.now()): number | undefined {
  if (header === undefined) return undefined;
  if (/^\d+$/.test(header.trim())) return Number(header) * 1000;
  const at = Date.parse(header);
  return Number.isNaN(at) ? undefined : Math.max(0, at - now);
}
