import { RetrainError } from '../contracts/errors';
import { awayReason, outlast } from './outlast';

/** A server on a busy machine, with a database to bring up to date, takes a minute from its first connection to its first answer. */
const LONGEST_MS = 120_000;

/**
 * The first requests to a server: one that is just starting takes the connection, and answers UNAVAILABLE for a while.
 *
 * @param told of the wait, once, and of its end
 * @throws RetrainError TEMPORAL_UNREACHABLE when it serves nothing for two minutes; what `ask` throws that is no outage
 */
export async function whenServing<T>(
  address: string,
  ask: () => Promise<T>,
  told: { onAway(reason: string): void; onBack(): void },
  longestMs = LONGEST_MS,
): Promise<T> {
  try {
    return await outlast(ask, { ...told, longestMs, signal: new AbortController().signal });
  } catch (error) {
    const reason = awayReason(error);
    if (reason === null || error instanceof RetrainError) throw error;
    throw new RetrainError(
      'TEMPORAL_UNREACHABLE',
      `Temporal at ${address} listens, and answers nothing (${reason}); look at its log, or correct TEMPORAL_ADDRESS`,
      { cause: error },
    );
  }
}
