import { execFile } from 'node:child_process';
import { realpath } from 'node:fs/promises';
import { promisify } from 'node:util';
import { RetrainError } from '../../contracts/errors';

const run = promisify(execFile);

/** A second checkout of a repository, at a commit of its own; the first one and its branches are left alone. */
export interface Worktree {
  /** Its root, absolute. */
  dir: string;
  /** Changes its files as a patch says. @throws RetrainError REPRODUCTION_FAILED */
  apply(patchFile: string): Promise<void>;
  /** Removes it, whatever was made in it. */
  remove(): Promise<void>;
}

/** Root of the repository that a folder is in; null outside one, and without git. */
export async function repositoryRoot(dir: string): Promise<string | null> {
  try {
    const { stdout } = await run('git', ['-C', dir, 'rev-parse', '--show-toplevel']);
    return await realpath(stdout.trim());
  } catch {
    return null;
  }
}

/**
 * Checks a commit out into a new folder. No hooks run.
 *
 * @param repository a folder in it
 * @param dir must not be there yet
 * @throws RetrainError REPRODUCTION_FAILED when the repository does not have the commit
 */
export async function addWorktree(repository: string, dir: string, commit: string): Promise<Worktree> {
  const git = (cwd: string, ...args: string[]) =>
    run('git', ['-C', cwd, '-c', 'core.hooksPath=/dev/null', ...args]);
  await git(repository, 'rev-parse', '--verify', '--quiet', `${commit}^{commit}`).catch((cause: unknown) => {
    throw new RetrainError(
      'REPRODUCTION_FAILED',
      `commit ${commit} is not in ${repository}; fetch it: git fetch --all`,
      { cause },
    );
  });
  await git(repository, 'worktree', 'add', '--quiet', '--detach', dir, commit).catch((cause: Error) => {
    throw new RetrainError('REPRODUCTION_FAILED', `git worktree add: ${lastLine(cause)}`, { cause });
  });
  return {
    dir: await realpath(dir),
    apply: async (patchFile) => {
      await git(dir, 'apply', '--whitespace=nowarn', patchFile).catch((cause: Error) => {
        throw new RetrainError(
          'REPRODUCTION_FAILED',
          `the recorded changes do not apply to ${commit}: ${lastLine(cause)}`,
          { cause },
        );
      });
    },
    remove: async () => {
      // Also of one that somebody else has removed from the disk.
      await git(repository, 'worktree', 'remove', '--force', dir).catch(() => undefined);
      await git(repository, 'worktree', 'prune').catch(() => undefined);
    },
  };
}

function lastLine({ message }: Error): string {
  return message.trim().split('\n').at(-1) ?? message;
}
