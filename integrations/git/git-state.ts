import type { GitState } from '../../contracts/run';
import { BUT_STATE, readGit } from './run-git';

/**
 * Commit, branch, whether tracked files differ from the commit, and the remote (origin, else the first), with any
 * credentials taken out of its URL. Two git processes side by side; untracked files are not looked for, as `git
 * describe --dirty` does it, which keeps it cheap in folders full of data. Takes no lock.
 *
 * Empty strings outside a repository, without git, before the first commit, and where git refuses the folder
 * (its owner is somebody else).
 */
export async function gitState(dir: string): Promise<GitState> {
  const [status, remotes] = await Promise.all([
    git(dir, 'status', '--porcelain=v2', '--branch', '--untracked-files=no', '--', ...BUT_STATE),
    git(dir, 'config', '--get-regexp', '^remote\\..*\\.url$'),
  ]);
  const lines = status.split('\n').filter((line) => line !== '');
  const header = (name: string) =>
    lines.find((line) => line.startsWith(`# branch.${name} `))?.slice(`# branch.${name} `.length) ?? '';
  const named = (value: string) => (value.startsWith('(') ? '' : value);
  return {
    commit: named(header('oid')),
    branch: named(header('head')),
    dirty: lines.some((line) => !line.startsWith('#')),
    remoteUrl: withoutCredentials(chosenRemote(remotes)),
  };
}

/** A remote’s URL as it may be shown and stored: `https://user:token@host/x` becomes `https://host/x`. */
export function withoutCredentials(url: string): string {
  return url.replace(/^([a-z][a-z0-9+.-]*:\/\/)[^/]*@/i, (whole, scheme: string) =>
    /^ssh/i.test(scheme) ? whole.replace(/:[^/@]*@/, '@') : scheme,
  );
}

function chosenRemote(config: string): string {
  const remotes = config
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => /^(\S+) (.*)$/.exec(line))
    .flatMap((match) => (match ? [{ key: match[1], url: match[2]! }] : []));
  return (remotes.find(({ key }) => key === 'remote.origin.url') ?? remotes[0])?.url ?? '';
}

async function git(dir: string, ...args: string[]): Promise<string> {
  return (await readGit(dir, ...args)) ?? '';
}
