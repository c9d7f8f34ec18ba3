import { setTimeout as sleep } from 'node:timers/promises';
import { defaultGrpcRetryOptions, makeGrpcRetryInterceptor, ServiceError } from '@temporalio/client';
import { RetrainError } from '../contracts/errors';

/** gRPC status numbers of a server, or a proxy before it, that is away: nothing is wrong with what was asked. */
const AWAY: readonly number[] = [4 /* DEADLINE_EXCEEDED */, 13 /* INTERNAL: a stream cut off */, 14];
const UNAVAILABLE = 14;

/** How often a server that is away is asked again: soon enough for somebody who looks on. */
const AGAIN_MS = 1000;

/**
 * For the connection of somebody who waits: an error of a server that is away comes at once, so that it can be told. The client's own
 * retries would keep it back for half a minute, and then give up. All other errors are tried again as usual.
 */
export function tellingInterceptor(): ReturnType<typeof makeGrpcRetryInterceptor> {
  const usual = defaultGrpcRetryOptions();
  return makeGrpcRetryInterceptor({
    ...usual,
    retryableDecider: (attempt, status) =>
      Number(status.code) !== UNAVAILABLE && usual.retryableDecider(attempt, status),
  });
}

export interface Outage {
  /** Called once when the server goes away, with the reason, and once when it is back. */
  onAway(reason: string): void;
  onBack(): void;
  /** How long it may be away at a time, in ms; longer is an error. */
  longestMs: number;
  signal: AbortSignal;
}

/**
 * Asks until there is an answer, over outages of the server.
 *
 * @param ask may be called any number of times
 * @throws what `ask` throws that is no outage; the outage's last error when it lasts too long; the signal's reason
 */
export async function outlast<T>(ask: () => Promise<T>, outage: Outage): Promise<T> {
  let awaySince: number | null = null;
  const back = (): void => {
    if (awaySince !== null) outage.onBack();
    awaySince = null;
  };
  for (;;) {
    try {
      const answer = await ask();
      back();
      return answer;
    } catch (error) {
      outage.signal.throwIfAborted();
      const reason = awayReason(error);
      if (reason === null) {
        back();
        throw error;
      }
      if (awaySince === null) outage.onAway(reason);
      awaySince ??= Date.now();
      if (Date.now() - awaySince > outage.longestMs) throw error;
      await sleep(AGAIN_MS, undefined, { signal: outage.signal }).catch(() => outage.signal.throwIfAborted());
    }
  }
}

/** Why nothing was heard of the server; null for an answer that it gave. */
export function awayReason(error: unknown): string | null {
  if (error instanceof RetrainError) return error.code === 'TEMPORAL_UNREACHABLE' ? error.message : null;
  const grpc = error instanceof ServiceError ? error.cause : error;
  if (!(grpc instanceof Error) || !('code' in grpc) || !AWAY.includes(Number(grpc.code))) return null;
  return 'details' in grpc && typeof grpc.details === 'string' && grpc.details !== ''
    ? grpc.details
    : grpc.message;
}
