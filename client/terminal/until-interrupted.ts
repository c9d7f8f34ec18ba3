import { RetrainError } from '../../contracts/errors';
import { manyListeners } from '../../integrations/files/many-listeners';

/**
 * Does something that Ctrl-C and SIGTERM end in order: its signal is aborted, and it may clean up.
 *
 * @param what for the message: `the stage`
 * @throws RetrainError RUN_CANCELLED when it was interrupted
 */
export async function untilInterrupted<T>(
  what: string,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const controller = new AbortController();
  const interrupt = (): void =>
    controller.abort(new RetrainError('RUN_CANCELLED', `${what} was interrupted; repeat the command`));
  process.once('SIGINT', interrupt).once('SIGTERM', interrupt);
  try {
    return await work(manyListeners(controller.signal));
  } catch (error) {
    // Whatever an abort made fail on its way, the interruption is the reason.
    throw controller.signal.aborted ? controller.signal.reason : error;
  } finally {
    process.off('SIGINT', interrupt).off('SIGTERM', interrupt);
  }
}
