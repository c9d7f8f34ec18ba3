import { existsSync } from 'node:fs';
import path from 'node:path';
import { lockFile } from '../integrations/files/file-lock';
import { putAsideWhenLarge } from '../integrations/files/log-rotation';

/** Of the stack on one machine, which appends to them. */
const LOGS = ['worker.log', 'temporal.log', 'mlflow.log', 'api.log'] as const;

const EVERY_MS = 60_000;

/**
 * Keeps the logs of the state folder from filling the disk, as long as a worker runs: `retrain up` has gone by then.
 *
 * @returns ends it
 */
export function keepLogsSmall(
  stateDir: string,
  onTrouble: (error: unknown) => void,
  everyMs = EVERY_MS,
): () => void {
  const dir = path.join(stateDir, 'logs');
  const look = (): void => {
    if (existsSync(dir)) putAsideOnce(dir).catch(onTrouble);
  };
  const timer = setInterval(look, everyMs);
  timer.unref();
  return () => clearInterval(timer);
}

/** Of several workers on one folder, one does it. */
async function putAsideOnce(dir: string): Promise<void> {
  const unlock = await lockFile(path.join(dir, '.lock'), { timeoutMs: 0, private: true }).catch(() => null);
  if (unlock === null) return;
  try {
    for (const name of LOGS) putAsideWhenLarge(path.join(dir, name));
  } finally {
    await unlock();
  }
}
