import { spawn } from 'node:child_process';
import { createWriteStream } from 'node:fs';
import { once } from 'node:events';
import { pipeline } from 'node:stream/promises';

/**
 * Writes a file's content at a commit to `dest`, as git has it (filters such as line ends or LFS are not applied).
 *
 * @param file relative to `dir`, with `/`
 * @returns false when the commit, or the file in it, is not there
 */
export async function fileAtCommit(
  dir: string,
  commit: string,
  file: string,
  dest: string,
): Promise<boolean> {
  const child = spawn('git', ['--no-optional-locks', '-C', dir, 'cat-file', 'blob', `${commit}:./${file}`], {
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  const ended = once(child, 'close') as Promise<[number | null]>;
  // Without git at all, nothing is found.
  const failed = once(child, 'error').then(() => [1] as [number | null]);
  await pipeline(child.stdout, createWriteStream(dest));
  const [code] = await Promise.race([ended, failed]);
  return code === 0;
}
