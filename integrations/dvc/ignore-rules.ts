import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, relative, sep } from 'node:path';
import ignore, { type Ignore } from 'ignore';

/** What DVC never looks at: these folders, and the file `.git` of a submodule. */
const NEVER_FOLDERS = new Set(['.hg', '.git', '.dvc']);

/** Patterns of one `.dvcignore`, and how paths below `dir` read from the folder that it stands in. */
interface Rules {
  prefix: string;
  patterns: Ignore;
}

/**
 * Which paths below a folder DVC leaves out: by the `.dvcignore` files from the root of the workspace down to
 * that folder’s parent, in gitignore syntax, the deeper one winning.
 *
 * @param root of the workspace, absolute
 * @param dir absolute, the root or below it
 */
export function ignoreRules(root: string, dir: string): (relpath: string, isDirectory: boolean) => boolean {
  const rules: Rules[] = foldersDown(root, dirname(dir)).flatMap((folder) => {
    const patterns = patternsIn(join(folder, '.dvcignore'));
    const below = relative(folder, dir).replaceAll(sep, '/');
    return patterns ? [{ prefix: below === '' ? '' : `${below}/`, patterns }] : [];
  });
  return (relpath, isDirectory) => {
    const name = relpath.slice(relpath.lastIndexOf('/') + 1);
    let ignored = isDirectory ? NEVER_FOLDERS.has(name) : name === '.git';
    for (const { prefix, patterns } of rules) {
      const verdict = patterns.test(`${prefix}${relpath}${isDirectory ? '/' : ''}`);
      if (verdict.ignored) ignored = true;
      if (verdict.unignored) ignored = false;
    }
    return ignored;
  };
}

/** Undefined when there is no such file, or no pattern in it, as in the one that `dvc init` makes. */
function patternsIn(file: string): Ignore | undefined {
  if (!existsSync(file)) return undefined;
  const text = readFileSync(file, 'utf8');
  return /^\s*[^#\s]/m.test(text) ? ignore().add(text) : undefined;
}

function foldersDown(root: string, last: string): string[] {
  const folders = [root];
  const below = relative(root, last);
  if (below === '' || below.startsWith('..')) return folders;
  for (const part of below.split(sep)) folders.push(join(folders.at(-1)!, part));
  return folders;
}
