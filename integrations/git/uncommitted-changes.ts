import { BUT_STATE, readGit } from './run-git';

/** What a tracking server takes without complaint, and more than a change of code ever has. */
const LONGEST_BYTES = 4 << 20;

/**
 * How the tracked files differ from a commit, as `git apply` takes it. Null when they do not, when the folder stands at another
 * commit (whoever started the run did so elsewhere), and when the patch is larger than 4 MiB.
 */
export async function uncommittedChanges(dir: string, commit: string): Promise<string | null> {
  const head = (await readGit(dir, 'rev-parse', 'HEAD'))?.trim();
  if (commit === '' || head !== commit) return null;
  const patch = await readGit(
    dir,
    'diff',
    '--binary',
    '--no-color',
    '--no-ext-diff',
    commit,
    '--',
    ...BUT_STATE,
  );
  return patch === null || patch === '' || Buffer.byteLength(patch) > LONGEST_BYTES ? null : patch;
}

/** Of the paths at or below one, those that a commit has, with the same bytes that are in the folder now. */
export async function unchangedSince(dir: string, commit: string, path: string): Promise<Set<string>> {
  const [tracked, changed] = await Promise.all([
    readGit(dir, 'ls-tree', '-r', '-z', '--name-only', commit, '--', path),
    readGit(dir, 'diff', '-z', '--name-only', '--relative', commit, '--', path),
  ]);
  if (tracked === null || changed === null) return new Set();
  const differ = new Set(changed.split('\0'));
  return new Set(tracked.split('\0').filter((name) => name !== '' && !differ.has(name)));
}

/** Where a folder is in its repository: empty at the root, else with a `/` at its end. */
export async function folderInRepository(dir: string): Promise<string> {
  return ((await readGit(dir, 'rev-parse', '--show-prefix')) ?? '').trim();
}
