import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/**
 * Whether two checkouts have the same tracked files, with the same bytes as they are on the disk now, among those that the
 * patterns match.
 *
 * @param patterns git's own, `*.ts` matching in every folder
 */
export async function sameFiles(a: string, b: string, patterns: readonly string[]): Promise<boolean> {
  const [left, right] = await Promise.all([tracked(a, patterns), tracked(b, patterns)]);
  if (left.length !== right.length || left.some((name, index) => name !== right[index])) return false;
  for (const name of left) {
    const [one, other] = await Promise.all(
      [a, b].map((dir) => readFile(path.join(dir, name)).catch(() => null)),
    );
    if (one == null || other == null || !one.equals(other)) return false;
  }
  return true;
}

async function tracked(dir: string, patterns: readonly string[]): Promise<string[]> {
  const { stdout } = await run(
    'git',
    ['--no-optional-locks', '-C', dir, 'ls-files', '-z', '--', ...patterns],
    {
      maxBuffer: 64 << 20,
    },
  );
  return stdout.split('\0').filter((name) => name !== '');
}
