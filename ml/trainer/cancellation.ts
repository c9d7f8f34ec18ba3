import { setImmediate as nextTurn } from 'node:timers/promises';
import { RetrainError } from '../../contracts/errors';

/**
 * Lets pending events in (progress messages out, an abort in), then stops if the signal was aborted.
 * @throws RetrainError RUN_CANCELLED
 */
export async function pause(signal: AbortSignal | undefined, done: number, total: number): Promise<void> {
  await nextTurn();
  if (signal?.aborted === true) throw cancelled(done, total);
}

export function cancelled(done: number, total: number, units = 'trees'): RetrainError {
  return new RetrainError('RUN_CANCELLED', `training was cancelled after ${done} of ${total} ${units}`);
}
