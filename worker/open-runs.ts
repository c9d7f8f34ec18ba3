import { type Client } from '@temporalio/client';
import { type Logger } from '@temporalio/worker';
import { type Mlflow } from '../integrations/mlflow/client';
import { closeEndedRuns } from '../temporal/close-ended-runs';

/** Beside the start: a run that was terminated while workers were up is closed within ten minutes. */
const EVERY_MS = 600_000;

/**
 * Closes MLflow runs whose workflows have ended, now and every ten minutes. It may fail: the next time, or the next worker, does it.
 *
 * @returns ends it
 */
export function closeRunsNowAndThen(client: Client, mlflow: Mlflow, logger: Logger): () => void {
  const over = new AbortController();
  const look = async (): Promise<void> => {
    try {
      const closed = await closeEndedRuns(client, mlflow, over.signal);
      if (closed.length > 0) logger.info('MLflow runs of ended workflows closed', { closed });
    } catch (error) {
      if (!over.signal.aborted) logger.warn('open MLflow runs not looked at', { reason: String(error) });
    }
  };
  void look();
  const timer = setInterval(() => void look(), EVERY_MS);
  timer.unref();
  return () => {
    clearInterval(timer);
    over.abort();
  };
}
