import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** Long enough for a slow disk; a hanging network drive must not hold up a start. */
const TIMEOUT_MS = 10_000;

/**
 * Pathspec of all but our own state folders: where one was committed once, by an older version's leave, its databases differ after
 * each run.
 */
export const BUT_STATE = [':/', ':(exclude,top,glob)**/.retrain/**'] as const;

/** Output of a git command that only reads, and takes no lock; null when it fails, or there is no git. */
export async function readGit(dir: string, ...args: string[]): Promise<string | null> {
  try {
    const { stdout } = await run('git', ['--no-optional-locks', '-C', dir, ...args], {
      timeout: TIMEOUT_MS,
      maxBuffer: 64 << 20,
    });
    return stdout;
  } catch {
    return null;
  }
}
