import { initWorkspace } from '../../integrations/dvc/workspace';
import { TestProject } from './pipeline/test-project';

jest.setTimeout(180_000);

const project = new TestProject();
const { model } = project;

beforeAll(async () => {
  await initWorkspace(project.dir);
  await project.startWorker();
  expect(await project.start('--wait')).toMatchObject({ code: 0, result: { alias: 'production' } });
});
afterAll(() => project.remove());

/** What is printed is held against its schema by `cli` itself. */
async function printed(...args: string[]): Promise<unknown> {
  const { code, stdout, stderr } = await project.cli([...args, '--json']);
  expect({ args, code, stderr }).toMatchObject({ args, code: 0 });
  expect(stdout.trim().split('\n')).toHaveLength(1);
  return JSON.parse(stdout);
}

test('what looks at runs and versions prints what docs/json.md says', async () => {
  expect(await printed('start')).toMatchObject({ how: 'finished', result: { model } });
  expect(await printed('plan', '--set', 'train.n_estimators=11')).toMatchObject({ finished: null });
  expect(await printed('plan')).toMatchObject({ finished: { model } });
  expect(await printed('list')).toMatchObject({ runs: [{ outcome: 'promoted' }] });
  expect(await printed('show')).toMatchObject({ result: { model } });
  expect(await printed('validate', '--min', 'accuracy=0.5', '--max', 'log_loss=9')).toMatchObject({
    checks: [{ least: 0.5 }, { most: 9 }],
  });
  expect(await printed('evaluate', `${model}@production`)).toMatchObject({ outcome: 'in_production' });
  expect(await printed('verify', `${model}@production`)).toMatchObject({ verified: true });
  expect(await printed('reproduce', model)).toMatchObject({ reproduction: null });
  expect(await printed('restore', `${model}@production`)).toMatchObject({ removed: [] });
  expect(await printed('data', 'status')).toMatchObject({ stages: [] });
  expect(await printed('doctor')).toHaveProperty('findings');
});

test('what moves versions prints what docs/json.md says', async () => {
  expect(await project.start('--wait', '--set', 'train.n_estimators=11')).toMatchObject({ code: 0 });
  const because = ['--reason', 'a try'];
  await project.cli(['promote', `${model}@2`, ...because]);
  expect(await printed('rollback', model, ...because)).toMatchObject({ entry: { to: '1' } });
  expect(await printed('promote', `${model}@2`, ...because, '--force')).toMatchObject({ entry: { to: '2' } });
  expect(await printed('history', model)).toMatchObject({ waiting: [] });
  expect(await printed('history', model, '--verify')).toMatchObject({ verified: true });
  expect(await printed('history', model, '--at', new Date().toISOString())).toMatchObject({
    production: '2',
  });
});

test('schedules print what docs/json.md says', async () => {
  const named = { name: model };
  expect(await printed('schedule', 'create', '--cron', '0 3 1 1 *')).toMatchObject(named);
  expect(await printed('schedule', 'list')).toHaveProperty('schedules');
  expect(await printed('schedule', 'pause', model)).toEqual({ ...named, paused: true });
  expect(await printed('schedule', 'resume', model)).toEqual({ ...named, resumed: true });
  expect(await printed('schedule', 'trigger', model)).toMatchObject(named);
  expect(await printed('schedule', 'delete', model)).toEqual({ ...named, deleted: true });
});

test('what fails prints its code', async () => {
  const { code, stdout } = await project.cli(['show', 'v99', '--json']);
  expect(code).not.toBe(0);
  expect(JSON.parse(stdout)).toMatchObject({ error: { code: expect.stringMatching(/^[A-Z_]+$/) as string } });
});
