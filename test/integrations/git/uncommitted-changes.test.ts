import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  folderInRepository,
  uncommittedChanges,
  unchangedSince,
} from '../../../integrations/git/uncommitted-changes';

let dir: string;
let commit: string;
const git = (...args: string[]) =>
  execFileSync('git', ['-C', dir, '-c', 'user.name=t', '-c', 'user.email=t@example.org', ...args], {
    encoding: 'utf8',
  }).trim();

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'git-'));
  git('init', '--quiet');
  mkdirSync(join(dir, 'data'));
  writeFileSync(join(dir, 'data', 'a.csv'), '1\n');
  writeFileSync(join(dir, 'data', 'b.bin'), Buffer.from([0, 1, 2, 255]));
  git('add', '.');
  git('commit', '--quiet', '--message=one');
  commit = git('rev-parse', 'HEAD');
});
afterEach(() => rmSync(dir, { recursive: true }));

test('git apply turns the commit into the tree that the patch was taken of', async () => {
  writeFileSync(join(dir, 'data', 'a.csv'), '2\n');
  writeFileSync(join(dir, 'data', 'b.bin'), Buffer.from([9, 0, 9]));
  const patch = await uncommittedChanges(dir, commit);
  git('checkout', '--quiet', '--', '.');
  execFileSync('git', ['-C', dir, 'apply', '-'], { input: patch ?? '' });
  expect(readFileSync(join(dir, 'data', 'a.csv'), 'utf8')).toBe('2\n');
  expect([...readFileSync(join(dir, 'data', 'b.bin'))]).toEqual([9, 0, 9]);
});

test('there is no patch of a clean tree, nor when the folder stands at another commit', async () => {
  expect(await uncommittedChanges(dir, commit)).toBeNull();
  writeFileSync(join(dir, 'data', 'a.csv'), '2\n');
  expect(await uncommittedChanges(dir, '0'.repeat(40))).toBeNull();
});

test('files that are untracked or changed are not those of the commit', async () => {
  writeFileSync(join(dir, 'data', 'a.csv'), '2\n');
  writeFileSync(join(dir, 'data', 'c.csv'), '3\n');
  expect([...(await unchangedSince(dir, commit, 'data'))]).toEqual(['data/b.bin']);
  expect([...(await unchangedSince(join(dir, 'data'), commit, 'b.bin'))]).toEqual(['b.bin']);
  expect(await folderInRepository(join(dir, 'data'))).toBe('data/');
});
