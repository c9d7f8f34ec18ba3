import { Context } from '@temporalio/activity';
import { manyListeners } from '../integrations/files/many-listeners';
import { type StageProgress } from '../contracts/stage';

/** Often enough that a heartbeat limit of 10 s notices nothing but a dead worker, and that a cancellation arrives within a second. */
const INTERVAL_MS = 1000;

/**
 * Runs work while telling the server, every second, that it goes on and how far it is; work that ends sooner costs
 * no request. A cancellation reaches the work through the signal.
 */
export async function withHeartbeat<T>(
  work: (signal: AbortSignal, onProgress: (progress: StageProgress) => void) => Promise<T>,
): Promise<T> {
  const context = Context.current();
  manyListeners(context.cancellationSignal);
  let latest: StageProgress | undefined;
  const beat = (): void => context.heartbeat(latest);
  const timer = setInterval(beat, INTERVAL_MS);
  try {
    return await work(context.cancellationSignal, (progress) => {
      latest = progress;
    });
  } finally {
    clearInterval(timer);
  }
}
