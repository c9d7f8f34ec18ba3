import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gitState, withoutCredentials } from '../../../integrations/git/git-state';

let dir: string;
const git = (...args: string[]) =>
  execFileSync('git', ['-C', dir, '-c', 'user.name=t', '-c', 'user.email=t@example.org', ...args], {
    encoding: 'utf8',
  }).trim();

beforeEach(() => (dir = mkdtempSync(join(tmpdir(), 'git-'))));
afterEach(() => rmSync(dir, { recursive: true }));

const commitOneFile = () => {
  git('init', '--quiet', '--initial-branch=trunk');
  writeFileSync(join(dir, 'a'), '1');
  git('add', 'a');
  git('commit', '--quiet', '--message=one');
};

test('commit, branch and origin of a clean repository, asked from a folder below', async () => {
  commitOneFile();
  git('remote', 'add', 'a-fork', 'https://example.org/fork.git');
  git('remote', 'add', 'origin', 'git@example.org:team/iris.git');
  mkdirSync(join(dir, 'below'));
  expect(await gitState(join(dir, 'below'))).toEqual({
    commit: git('rev-parse', 'HEAD'),
    branch: 'trunk',
    dirty: false,
    remoteUrl: 'git@example.org:team/iris.git',
  });
});

test('a changed or staged file makes it dirty, an untracked one does not', async () => {
  commitOneFile();
  writeFileSync(join(dir, 'untracked'), '');
  expect((await gitState(dir)).dirty).toBe(false);
  writeFileSync(join(dir, 'a'), '2');
  expect((await gitState(dir)).dirty).toBe(true);
  git('add', 'a');
  expect((await gitState(dir)).dirty).toBe(true);
});

test('before the first commit, and on no branch, the names are empty', async () => {
  git('init', '--quiet');
  expect((await gitState(dir)).commit).toBe('');
  commitOneFile();
  git('checkout', '--quiet', '--detach');
  expect(await gitState(dir)).toMatchObject({ branch: '', commit: git('rev-parse', 'HEAD') });
});

test('outside a repository, and in a folder that is not there, everything is empty', async () => {
  const nothing = { commit: '', branch: '', dirty: false, remoteUrl: '' };
  expect(await gitState(dir)).toEqual(nothing);
  expect(await gitState(join(dir, 'none'))).toEqual(nothing);
});

test.each([
  ['https://user:s3cret@example.org/a/b.git', 'https://example.org/a/b.git'],
  ['https://t0ken@example.org/a', 'https://example.org/a'],
  ['https://example.org/a@b', 'https://example.org/a@b'],
  ['ssh://git:s3cret@example.org/a', 'ssh://git@example.org/a'],
  ['ssh://git@example.org/a', 'ssh://git@example.org/a'],
  ['git@example.org:a/b.git', 'git@example.org:a/b.git'],
  ['/srv/git/a', '/srv/git/a'],
])('no credential of %s is shown', (url, shown) => {
  expect(withoutCredentials(url)).toBe(shown);
});
