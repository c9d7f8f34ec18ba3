import { Client, Connection } from '@temporalio/client';
import type { ScheduleView } from '../../temporal/schedules';
import { TestProject, sleep } from './pipeline/test-project';

jest.setTimeout(120_000);

describe('retrain schedule', () => {
  const project = new TestProject();
  const name = project.model;
  let connection: Connection;
  let client: Client;

  beforeAll(async () => {
    connection = await Connection.connect({ address: project.env['TEMPORAL_ADDRESS']! });
    client = new Client({ connection });
    await project.startWorker();
  });

  afterAll(async () => {
    await project.cli(['schedule', 'delete', name]);
    await connection.close();
    await project.remove();
  });

  /** Waits, as a list is eventually consistent. */
  async function listed(
    wanted: (view: ScheduleView | undefined) => boolean,
  ): Promise<ScheduleView | undefined> {
    for (;;) {
      const { stdout } = await project.cli(['schedule', 'list', '--json']);
      const { schedules } = JSON.parse(stdout) as { schedules: ScheduleView[] };
      const view = schedules.find((one) => one.name === name);
      if (wanted(view)) return view;
      await sleep(200);
    }
  }

  it('makes a schedule that skips overlaps and makes up for a day at most', async () => {
    const created = await project.cli([
      'schedule',
      'create',
      '--cron',
      '0 3 * * *',
      '--timezone',
      'Europe/Berlin',
    ]);
    expect(created).toMatchObject({ code: 0, stderr: '' });
    expect(created.stdout).toContain(`/namespaces/default/schedules/${name}`);
    const { action, policies, spec } = await client.schedule.getHandle(name).describe();
    expect(action).toMatchObject({
      workflowType: 'trainingPipeline',
      taskQueue: project.taskQueue,
      workflowId: `scheduled-${name}`,
      args: [{ params: 'params.yaml' }],
    });
    expect(policies).toMatchObject({ overlap: 'SKIP', catchupWindow: 24 * 3600 * 1000 });
    expect(spec).toMatchObject({ timezone: 'Europe/Berlin', calendars: [{ hour: [{ start: 3 }] }] });
  });

  it('lists it with its cron expression and next time', async () => {
    const view = await listed((one) => one !== undefined && one.nextRunAt !== null);
    expect(view).toMatchObject({
      cron: '0 3 * * *',
      timezone: 'Europe/Berlin',
      params: 'params.yaml',
      paused: false,
    });
    expect(new Date(view!.nextRunAt!).getUTCHours()).toBeLessThan(3);
  });

  it('trains when triggered, and hands over to the same run the next time', async () => {
    const { stdout } = await project.cli(['schedule', 'trigger', name, '--json']);
    const { workflowId } = JSON.parse(stdout) as { workflowId: string };
    expect(workflowId).toMatch(new RegExp(`^scheduled-${name}-`));
    const first: unknown = await client.workflow.getHandle(workflowId).result();
    expect(first).toMatchObject({ outcome: 'promoted', model: name, modelVersion: '1' });
    const again = JSON.parse((await project.cli(['schedule', 'trigger', name, '--json'])).stdout) as {
      workflowId: string;
    };
    expect(again.workflowId).not.toBe(workflowId);
    expect(await client.workflow.getHandle(again.workflowId).result()).toEqual(first);
  });

  it('pauses with a note, and resumes', async () => {
    expect((await project.cli(['schedule', 'pause', name, '--note', 'new sensors'])).stdout).toBe(
      `Paused ${name}\n`,
    );
    expect(await listed((one) => one?.paused === true)).toMatchObject({
      note: 'new sensors',
      nextRunAt: null,
    });
    expect((await project.cli(['schedule', 'resume', name])).stdout).toBe(`Resumed ${name}\n`);
    expect(await listed((one) => one?.paused === false)).toMatchObject({ name });
  });

  it('says that a name is taken', async () => {
    const { code, stderr } = await project.cli(['schedule', 'create', '--cron', '@daily']);
    expect(code).toBe(1);
    expect(stderr).toContain(`schedule ${name} is there already; choose another --name`);
  });

  it.each([
    ['0 3 * *', 'UTC'],
    ['0 25 * * *', 'UTC'],
    ['every night', 'UTC'],
    ['', 'UTC'],
    ['0 3 * * *', 'Europe/Atlantis'],
  ])('refuses cron %j in zone %s', async (cron, zone) => {
    const args = ['schedule', 'create', '--name', `bad-${project.id}`, '--cron', cron, '--timezone', zone];
    const { code, stderr } = await project.cli(args);
    expect(stderr).toMatch(/--cron '.*' in time zone .* is refused: .+; expected minute, hour/);
    expect(code).toBe(2);
  });

  it('refuses a params file with a mistake before anything is made', async () => {
    const args = [
      'schedule',
      'create',
      '--name',
      `bad-${project.id}`,
      '--cron',
      '@daily',
      '--params',
      'none.yaml',
    ];
    expect(await project.cli(args)).toMatchObject({ code: 2, stdout: '' });
  });

  it('deletes it, and then knows it no more', async () => {
    expect((await project.cli(['schedule', 'delete', name])).stdout).toBe(`Deleted ${name}\n`);
    for (const command of ['trigger', 'pause', 'resume', 'delete']) {
      const { code, stderr } = await project.cli(['schedule', command, name]);
      expect(stderr).toContain(`there is no schedule ${name}; list them with \`retrain schedule list\``);
      expect(code).toBe(1);
    }
  });
});
