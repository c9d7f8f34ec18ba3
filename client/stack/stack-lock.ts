import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { withFileLock } from '../../integrations/files/file-lock';
import { makeStateFolder } from '../../integrations/files/state-folder';
import type { Progress } from './progress';
import type { StackSettings } from './stack-settings';

/** Runs `work` while no other `retrain up` or `down` is at work in this project; says so when it must wait. */
export function withStackLock<T>(
  settings: StackSettings,
  progress: Progress,
  work: () => Promise<T>,
): Promise<T> {
  const run = join(settings.state, 'run');
  makeStateFolder(settings.state);
  mkdirSync(run, { recursive: true });
  const onWait = (holder: string): void => {
    progress.update('Stack', `waiting for another \`retrain up\` or \`down\` (${holder})`);
  };
  return withFileLock(join(run, 'stack.lock'), { onWait, timeoutMs: Infinity, private: true }, () => {
    progress.done('Stack', null);
    return work();
  });
}
