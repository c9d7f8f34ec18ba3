import { resolve } from 'node:path';
import { type Environment } from './dot-env';

/** The folder with all that `retrain` keeps of a project on this machine, git-ignored: RETRAIN_STATE_DIR, or `.retrain`. Absolute. */
export function stateDir(project: string, env: Environment): string {
  return resolve(project, env['RETRAIN_STATE_DIR'] || '.retrain');
}
