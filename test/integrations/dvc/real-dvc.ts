import { execFile, execFileSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { promisify } from 'node:util';
import { testWith } from '../../tools/needs';

/** The executable of DVC 3 that judges our formats; the test set-up installs it and names it here. */
const executable = process.env.RETRAIN_TEST_DVC;

/** `test` where the real DVC is at hand. */
export const judged = testWith('dvc');

/** Runs dvc in a folder and returns what it printed. Throws with its output when it fails. */
export function dvc(cwd: string, ...args: string[]): string {
  return execFileSync(found(), args, { ...options(cwd), stdio: ['ignore', 'pipe', 'pipe'] });
}

/** `dvc` while this process goes on, for instance to serve it. */
export async function dvcAside(cwd: string, ...args: string[]): Promise<string> {
  const { stdout } = await promisify(execFile)(found(), args, options(cwd));
  return stdout;
}

function found(): string {
  if (executable) return executable;
  throw new Error('RETRAIN_TEST_DVC is not set: run the test set-up, which installs DVC');
}

function options(cwd: string) {
  return {
    cwd,
    encoding: 'utf8' as const,
    timeout: 120_000,
    env: {
      PATH: process.env.PATH,
      HOME: cwd,
      DVC_NO_ANALYTICS: '1',
      DVC_SITE_CACHE_DIR: `${cwd}/.dvc-site`,
      AWS_EC2_METADATA_DISABLED: 'true',
    },
  };
}

/** An empty DVC workspace without git. */
export function dvcInit(dir: string): void {
  mkdirSync(dir, { recursive: true });
  dvc(dir, 'init', '--no-scm', '--quiet');
}
