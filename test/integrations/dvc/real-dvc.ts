import { execFileSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';

/** The executable of DVC 3 that judges our formats; the test set-up installs it and names it here. */
const executable = process.env.RETRAIN_TEST_DVC;

/** `test` where the real DVC is at hand; skipped elsewhere, but never in CI. */
export const judged = executable || process.env.CI === 'true' ? test : test.skip;

/** Runs dvc in a folder and returns what it printed. Throws with its output when it fails. */
export function dvc(cwd: string, ...args: string[]): string {
  if (!executable) throw new Error('RETRAIN_TEST_DVC is not set: run the test set-up, which installs DVC');
  return execFileSync(executable, args, {
    cwd,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
    env: {
      PATH: process.env.PATH,
      HOME: cwd,
      DVC_NO_ANALYTICS: '1',
      DVC_SITE_CACHE_DIR: `${cwd}/.dvc-site`,
      AWS_EC2_METADATA_DISABLED: 'true',
    },
  });
}

/** An empty DVC workspace without git. */
export function dvcInit(dir: string): void {
  mkdirSync(dir, { recursive: true });
  dvc(dir, 'init', '--no-scm', '--quiet');
}
