import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileAtCommit } from '../../../integrations/git/git-content';
import { sameFiles } from '../../../integrations/git/same-files';
import { addWorktree, repositoryRoot } from '../../../integrations/git/worktree';

let top: string;
let repo: string;
let first: string;

const git = (...args: string[]): string =>
  execFileSync('git', ['-c', 'user.name=t', '-c', 'user.email=t@example.com', '-C', repo, ...args], {
    encoding: 'utf8',
  }).trim();
const at = (file: string): string => path.join(repo, file);

beforeEach(() => {
  top = realpathSync(mkdtempSync(path.join(tmpdir(), 'worktree-')));
  repo = path.join(top, 'repo');
  mkdirSync(at('sub'), { recursive: true });
  git('init', '--quiet');
  writeFileSync(at('a.ts'), 'one\n');
  writeFileSync(at('sub/b.ts'), 'two\n');
  writeFileSync(at('c.txt'), 'three\r\n');
  git('add', '--all');
  git('commit', '--quiet', '--message', 'first');
  first = git('rev-parse', 'HEAD');
  writeFileSync(at('c.txt'), 'later\n');
  git('commit', '--quiet', '--all', '--message', 'second');
});
afterEach(() => rmSync(top, { recursive: true }));

test('a commit is checked out beside the project, without hooks, and goes without a trace', async () => {
  writeFileSync(at('.git/hooks/post-checkout'), `#!/bin/sh\ntouch ${top}/hooked\n`);
  chmodSync(at('.git/hooks/post-checkout'), 0o755);
  writeFileSync(at('a.ts'), 'edited\n');
  const tree = await addWorktree(repo, path.join(top, 'tree'), first);
  expect(readFileSync(path.join(tree.dir, 'c.txt'), 'utf8')).toBe('three\r\n');
  writeFileSync(path.join(tree.dir, 'made'), '');
  await tree.remove();
  expect(existsSync(tree.dir)).toBe(false);
  expect(existsSync(path.join(top, 'hooked'))).toBe(false);
  expect(git('worktree', 'list').split('\n')).toHaveLength(1);
  expect(readFileSync(at('a.ts'), 'utf8')).toBe('edited\n');
});

test('a patch is applied, or it is said that it does not fit', async () => {
  writeFileSync(at('a.ts'), 'patched\n');
  const patch = path.join(top, 'git.patch');
  writeFileSync(patch, `${git('diff', '--binary', 'HEAD')}\n`);
  const tree = await addWorktree(repo, path.join(top, 'tree'), first);
  await tree.apply(patch);
  expect(readFileSync(path.join(tree.dir, 'a.ts'), 'utf8')).toBe('patched\n');
  await expect(tree.apply(patch)).rejects.toThrow(/the recorded changes do not apply to \w{40}: error: /);
  await tree.remove();
});

test('a commit that the repository does not have is named, with the next step', async () => {
  await expect(addWorktree(repo, path.join(top, 'tree'), 'e'.repeat(40))).rejects.toThrow(
    /commit e{40} is not in .*repo; fetch it: git fetch --all/,
  );
});

test('the root is found from below, and none outside', async () => {
  expect(await repositoryRoot(at('sub'))).toBe(repo);
  expect(await repositoryRoot(top)).toBeNull();
});

test('two checkouts have the same sources, whatever else differs, until one byte does', async () => {
  const tree = await addWorktree(repo, path.join(top, 'tree'), first);
  expect(await sameFiles(tree.dir, repo, ['*.ts'])).toBe(true);
  expect(await sameFiles(tree.dir, repo, ['*.ts', '*.txt'])).toBe(false);
  writeFileSync(at('sub/b.ts'), 'two!\n');
  expect(await sameFiles(tree.dir, repo, ['*.ts'])).toBe(false);
  rmSync(at('sub/b.ts'));
  expect(await sameFiles(tree.dir, repo, ['*.ts'])).toBe(false);
  await tree.remove();
});

test('a file is read as a commit has it', async () => {
  const dest = path.join(top, 'out');
  expect(await fileAtCommit(repo, first, 'c.txt', dest)).toBe(true);
  expect(readFileSync(dest, 'utf8')).toBe('three\r\n');
  expect(await fileAtCommit(at('sub'), 'HEAD', 'b.ts', dest)).toBe(true);
  expect(await fileAtCommit(repo, first, 'nothing', dest)).toBe(false);
  expect(await fileAtCommit(top, first, 'c.txt', dest)).toBe(false);
});
