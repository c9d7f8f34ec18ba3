import { existsSync } from 'node:fs';
import { removeStackFile } from './stack-file';
import { runningFrom } from './pid-file';
import type { Progress } from './progress';
import { stopService } from './service';
import { API_STOP_MS } from './api-service';
import { SERVER_STOP_MS, WORKER_STOP_MS } from './services';
import { withStackLock } from './stack-lock';
import { pidFile, type StackSettings } from './stack-settings';

/** What `retrain down` did. */
export interface TakenDown {
  /** Titles of the parts that were running. */
  stopped: string[];
  durationMs: number;
}

/**
 * Stops what `retrain up` started, and nothing else: worker and API first, so that they can hand back and answer what they have, then
 * the servers. Their state stays in `.retrain/`.
 */
export async function takeDown(settings: StackSettings, progress: Progress): Promise<TakenDown> {
  const startedMs = Date.now();
  if (!existsSync(settings.state)) return { stopped: [], durationMs: 0 };
  const stopped: string[] = [];
  const stop = async (title: string, name: string, stopTimeoutMs: number): Promise<void> => {
    const service = { pidFile: pidFile(settings, name), stopTimeoutMs };
    if (runningFrom(service.pidFile) !== null) progress.update(title, 'stopping');
    if (!(await stopService(service))) return;
    stopped.push(title);
    progress.done(title, 'stopped');
  };
  return withStackLock(settings, progress, async () => {
    await Promise.all([stop('Worker', 'worker', WORKER_STOP_MS), stop('API', 'api', API_STOP_MS)]);
    await Promise.all([
      stop('MLflow', 'mlflow', SERVER_STOP_MS),
      stop('Temporal', 'temporal', SERVER_STOP_MS),
    ]);
    removeStackFile(settings.state);
    return { stopped, durationMs: Date.now() - startedMs };
  });
}
