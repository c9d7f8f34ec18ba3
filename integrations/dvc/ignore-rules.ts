import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, relative, sep } from 'node:path';
import ignore, { type Ignore } from 'ignore';

/** What DVC never looks at. */
const ALWAYS = ['.hg/', '.git/', '.git', '.dvc/'];

/**
 * Which paths below a folder DVC leaves out: by the `.dvcignore` files from the root of the workspace down to
 * that folder’s parent, in gitignore syntax, the deeper one winning.
 *
 * @param root of the workspace, absolute
 * @param dir absolute, below the root
 */
export function ignoreRules(root: string, dir: string): (relpath: string, isDirectory: boolean) => boolean {
  const rules: { base: string; patterns: Ignore }[] = [{ base: root, patterns: ignore().add(ALWAYS) }];
  for (const folder of foldersDown(root, dirname(dir))) {
    const file = join(folder, '.dvcignore');
    if (existsSync(file)) rules.push({ base: folder, patterns: ignore().add(readFileSync(file, 'utf8')) });
  }
  return (relpath, isDirectory) => {
    const path = join(dir, relpath);
    let ignored = false;
    for (const { base, patterns } of rules) {
      const below = relative(base, path).replaceAll(sep, '/');
      if (below === '' || below.startsWith('../')) continue;
      const verdict = patterns.test(isDirectory ? `${below}/` : below);
      if (verdict.ignored) ignored = true;
      if (verdict.unignored) ignored = false;
    }
    return ignored;
  };
}

function foldersDown(root: string, last: string): string[] {
  const folders = [root];
  const below = relative(root, last);
  if (below === '' || below.startsWith('..')) return folders;
  for (const part of below.split(sep)) folders.push(join(folders.at(-1)!, part));
  return folders;
}
