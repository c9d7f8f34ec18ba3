import { setTimeout as sleep } from 'node:timers/promises';

/** How often and how patiently something is tried again. */
export interface RetryRule {
  /** Attempts in all, the first included. */
  attempts: number;
  /** Upper bound of the wait before the second attempt in ms; it doubles with each further one. */
  firstWaitMs: number;
  /** No wait is longer, in ms. */
  longestWaitMs: number;
}

export interface RetryOptions {
  rule: RetryRule;
  /** Whether the fault may pass; all other errors come through at once. */
  mayPass: (error: unknown) => boolean;
  /** What the other side asks to wait at least, in ms; longer than the rule's longest wait ends the attempts. */
  askedWaitMs?: (error: unknown) => number;
  signal?: AbortSignal | undefined;
}

/**
 * Runs `attempt` until it succeeds, fails for good, or the rule is used up; then throws the last error. Waits with full jitter (a
 * random time up to the bound), so that many workers do not come back in step.
 * Source: AWS Architecture Blog, “Exponential Backoff And Jitter”, 2015.
 *
 * @throws the signal's reason once it is aborted
 */
export async function withRetries<T>(options: RetryOptions, attempt: () => Promise<T>): Promise<T> {
  const { signal } = options;
  for (let made = 1; ; made++) {
    signal?.throwIfAborted();
    try {
      return await attempt();
    } catch (error) {
      signal?.throwIfAborted();
      const waitMs = waitBefore(options, made, error);
      if (waitMs === undefined) throw error;
      await pause(waitMs, signal);
    }
  }
}

function waitBefore(
  { rule, mayPass, askedWaitMs }: RetryOptions,
  made: number,
  error: unknown,
): number | undefined {
  if (made >= rule.attempts || !mayPass(error)) return undefined;
  const asked = askedWaitMs?.(error) ?? 0;
  if (asked > rule.longestWaitMs) return undefined;
  const bound = Math.min(rule.longestWaitMs, rule.firstWaitMs * 2 ** (made - 1));
  return Math.max(asked, Math.random() * bound);
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
