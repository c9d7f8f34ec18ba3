import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { areDifferent } from '../../../contracts/project-identity';
import { nameOf } from '../../../integrations/git/remote-name';
import { machineName, projectIdentity } from '../../../pipeline/run/project-identity';

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(path.join(tmpdir(), 'project-identity-'));
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

const identify = (project: string, env = {}): ReturnType<typeof projectIdentity> =>
  projectIdentity(project, path.join(project, '.retrain'), env);

function repository(name: string, remote: string): string {
  const project = path.join(dir, name);
  mkdirSync(path.join(project, 'models', 'churn'), { recursive: true });
  execFileSync('git', ['init', '--quiet', project]);
  execFileSync('git', ['-C', project, 'remote', 'add', 'origin', remote]);
  return project;
}

describe('which project a folder is', () => {
  test.each([
    ['https://ann:secret@GitHub.com/ann/iris.git', 'github.com/ann/iris'],
    ['https://github.com:443/ann/iris/', 'github.com/ann/iris'],
    ['git@github.com:ann/iris.git', 'github.com/ann/iris'],
    ['ssh://git@github.com:22/ann/iris', 'github.com/ann/iris'],
    ['/srv/git/iris.git', '/srv/git/iris'],
    ['file:///srv/git/iris.git', '/srv/git/iris'],
    ['', null],
  ])('the remote %s is called %s', (remote, name) => {
    expect(nameOf(remote)).toBe(name);
  });

  test('clones are one project, however their remote is written; a folder in them is another', async () => {
    const one = repository('one', 'https://github.com/ann/iris.git');
    const two = repository('two', 'git@github.com:ann/iris');
    expect(await identify(one)).toEqual({ id: 'github.com/ann/iris', host: machineName(), certain: true });
    expect((await identify(two)).id).toBe('github.com/ann/iris');
    expect((await identify(path.join(two, 'models', 'churn'))).id).toBe('github.com/ann/iris/models/churn');
  });

  test('without a remote it is the folder, which stays the same project when it is moved or gets a remote', async () => {
    const project = path.join(dir, 'churn');
    mkdirSync(project);
    const before = await identify(project);
    expect(before).toMatchObject({ host: machineName(), certain: false });
    expect(before.id).toMatch(/^churn-[0-9a-f]{8}$/);
    renameSync(project, path.join(dir, 'moved'));
    execFileSync('git', ['init', '--quiet', path.join(dir, 'moved')]);
    execFileSync('git', ['-C', path.join(dir, 'moved'), 'remote', 'add', 'origin', '/srv/git/churn']);
    expect(await identify(path.join(dir, 'moved'))).toEqual(before);
  });

  test('RETRAIN_PROJECT_ID wins, and must be a name', async () => {
    const project = repository('named', 'https://github.com/ann/iris');
    expect((await identify(project, { RETRAIN_PROJECT_ID: 'org/iris' })).id).toBe('org/iris');
    await expect(identify(project, { RETRAIN_PROJECT_ID: 'a b' })).rejects.toThrow(
      'RETRAIN_PROJECT_ID must be 1 to 200 letters',
    );
  });

  test('is kept once, also when many ask at the same time, in a state folder of its owner’s', async () => {
    const project = path.join(dir, 'busy');
    mkdirSync(project);
    const all = await Promise.all(Array.from({ length: 8 }, () => identify(project)));
    expect(new Set(all.map(({ id }) => id)).size).toBe(1);
    expect(readdirSync(path.join(project, '.retrain')).sort()).toEqual(['.gitignore', 'project.json']);
    expect(statSync(path.join(project, '.retrain')).mode & 0o777).toBe(0o700);
    expect(statSync(path.join(project, '.retrain', 'project.json')).mode & 0o777).toBe(0o600);
  });
});

describe('two identities', () => {
  const remote = { id: 'github.com/ann/iris', host: 'a', certain: true };
  const folder = { id: 'iris-12345678', host: 'a', certain: false };

  test.each([
    ['two remotes', remote, { ...remote, id: 'github.com/ann/churn', host: 'b' }, true],
    ['one remote on two machines', remote, { ...remote, host: 'b' }, false],
    ['two folders of one machine', folder, { ...folder, id: 'churn-12345678' }, true],
    ['two folders of two machines', folder, { ...folder, id: 'iris-87654321', host: 'b' }, false],
    ['a folder and a remote of one machine', folder, remote, true],
    ['a folder and a remote of two machines', folder, { ...remote, host: 'b' }, false],
  ])('%s: known to be different is %4$s', (_case, one, other, different) => {
    expect(areDifferent(one, other)).toBe(different);
    expect(areDifferent(other, one)).toBe(different);
  });
});
