import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { gitState } from '../../integrations/git/git-state';
import { uncommittedChanges } from '../../integrations/git/uncommitted-changes';
import { makeStateFolder } from '../../integrations/files/state-folder';
import { CLI } from './workbench';

let project: string;
beforeEach(() => {
  project = mkdtempSync(path.join(tmpdir(), 'private-state-'));
});
afterEach(() => rmSync(project, { recursive: true, force: true }));

const git = (...args: string[]): string =>
  execFileSync('git', ['-C', project, '-c', 'user.name=t', '-c', 'user.email=t@example.org', ...args], {
    encoding: 'utf8',
  });

describe('the state folder', () => {
  test('is its owner’s, also where an older version made it, and git ignores it in any project', () => {
    git('init', '--quiet');
    const state = path.join(project, '.retrain');
    mkdirSync(path.join(state, 'logs'), { recursive: true, mode: 0o755 });
    makeStateFolder(state);
    makeStateFolder(state);
    writeFileSync(path.join(state, 'temporal.db'), 'runs of everybody');
    expect(statSync(state).mode & 0o777).toBe(0o700);
    git('add', '-A');
    expect(git('status', '--porcelain')).toBe('');
  });

  test('that was committed once makes no run dirty, and is not in the patch of one', async () => {
    git('init', '--quiet');
    mkdirSync(path.join(project, 'deep', '.retrain'), { recursive: true });
    mkdirSync(path.join(project, '.retrain'));
    const databases = ['.retrain/mlflow.db', 'deep/.retrain/mlflow.db'].map((file) =>
      path.join(project, file),
    );
    for (const file of databases) writeFileSync(file, 'one');
    writeFileSync(path.join(project, 'params.yaml'), 'seed: 1\n');
    git('add', '-A');
    git('commit', '--quiet', '--message=with databases');
    for (const file of databases) writeFileSync(file, 'two');
    const { commit, dirty } = await gitState(project);
    expect(dirty).toBe(false);
    writeFileSync(path.join(project, 'params.yaml'), 'seed: 2\n');
    expect((await gitState(path.join(project, 'deep'))).dirty).toBe(true);
    const patch = await uncommittedChanges(path.join(project, 'deep'), commit);
    expect(patch).toContain('+seed: 2');
    expect(patch).not.toContain('mlflow.db');
  });
});

describe('an error that nobody foresaw', () => {
  test('is one line for the user; its trace is in a log of the state folder', () => {
    // A state folder where the stack file should be a file.
    mkdirSync(path.join(project, '.retrain', 'stack.json'), { recursive: true });
    const { status, stderr, stdout } = spawnSync(process.execPath, [CLI, 'list', '--json'], {
      cwd: project,
      encoding: 'utf8',
      env: { ...process.env, NO_COLOR: '1' },
    });
    expect(status).toBe(1);
    expect(stderr).toMatch(
      /^error: EISDIR.* \(an error that retrain did not foresee; where it happened is in \.retrain\/logs\/errors\.log\)\n$/,
    );
    expect(JSON.parse(stdout)).toMatchObject({ error: { code: 'UNFORESEEN' } });
    expect(readFileSync(path.join(project, '.retrain/logs/errors.log'), 'utf8')).toMatch(/^ +at /m);
    expect(statSync(path.join(project, '.retrain/logs/errors.log')).mode & 0o777).toBe(0o600);
    expect(readdirSync(path.join(project, '.retrain'))).toContain('.gitignore');
  });
});
