import { appendFileSync } from 'node:fs';
import { Client, Connection } from '@temporalio/client';
import { alarmDeskWorkflowId } from '../../../contracts/names';
import { type AlarmState } from '../../../contracts/alarm';
import { type Notice } from '../../../contracts/notice';
import { type MonitorResult } from '../../../contracts/watch';
import { createMlflow } from '../../../integrations/mlflow/client';
import { mlflowSettings } from '../../../integrations/mlflow/settings';
import { receiver, type Receiver } from '../../integrations/notify/receiver';
import { sleep, TestProject } from '../pipeline/test-project';
import { takeHistory } from '../pipeline/recorded-history';
import { writeLog } from './logged-iris';

jest.setTimeout(300_000);

const DRIFT = {
  on_alarm: 'train',
  resolved_after: 1,
  min_rows: 60,
  window: '2d',
  joint: false,
  accuracy: { window: '2d', labels_min: 40 },
};

describe('a model that is watched', () => {
  const project = new TestProject({ drift: DRIFT });
  const { model } = project;
  let hook: Receiver;
  let connection: Connection;
  let client: Client;
  const mlflow = createMlflow(mlflowSettings({}, project.env['MLFLOW_TRACKING_URI'] ?? ''));

  beforeAll(async () => {
    hook = await receiver((response) => response.end());
    connection = await Connection.connect({ address: project.env['TEMPORAL_ADDRESS'] ?? '' });
    client = new Client({ connection });
    await project.startWorker({ RETRAIN_WEBHOOK_URL: hook.url, RETRAIN_WEBHOOK_SECRET: 's'.repeat(32) });
    expect(await project.start('--wait')).toMatchObject({ code: 0 });
    await writeLog(project, '1', [
      { day: '2026-03-01', rows: 120, labelled: 0.5 },
      { day: '2026-03-02', rows: 120, labelled: 0.5 },
      { day: '2026-03-05', rows: 120, shift: 3 },
      { day: '2026-03-06', rows: 120, shift: 3 },
      { day: '2026-03-10', rows: 120, labelled: 0.5 },
      { day: '2026-03-11', rows: 120, labelled: 0.5 },
      { day: '2026-03-20', rows: 120, labelled: 0.6, wrong: 0.6 },
      { day: '2026-03-21', rows: 120, labelled: 0.6, wrong: 0.6 },
    ]);
  });
  afterAll(async () => {
    await hook.close();
    await mlflow.close();
    await connection.close();
    await project.remove();
  });

  let checks = 0;
  const check = async (now: string, more: object = {}): Promise<MonitorResult> =>
    client.workflow.execute('monitorModel', {
      taskQueue: project.taskQueue,
      workflowId: `check-${project.id}-${(checks += 1)}`,
      args: [{ model: `${model}@1`, now, ...more }],
    }) as Promise<MonitorResult>;

  const told = (): Notice[] =>
    hook.received
      .map(({ body }) => (JSON.parse(body) as { data: Notice }).data)
      .filter(({ kind }) => kind === 'drift');

  async function toldOf(count: number): Promise<Notice[]> {
    for (let tries = 0; told().length < count && tries < 300; tries++) await sleep(100);
    return told();
  }

  const tagsOf = async (version: string): Promise<Record<string, string>> =>
    (await mlflow.registry.getVersion(model, version)).tags;

  test('is as it was: nobody is told, and the figures are in MLflow', async () => {
    const result = await check('2026-03-03T00:00:00Z');
    expect(result).toMatchObject({ raised: [], open: [], training: null, modelVersion: '1' });
    expect(result.notes.accuracy).toMatch(/^122 of 240 answers have a label \(50\.8 %\).*live accuracy 0\.9/);
    expect(told()).toEqual([]);
    const { metrics } = await mlflow.runs.get(result.mlflowRunId);
    expect(metrics).toMatchObject({ drift_rows: 240, labels: 122, labelled_share: 122 / 240 });
    expect(metrics['live_accuracy']).toBeGreaterThan(0.9);
  });

  test('drifts: one notice, the tag, and a training that new data are needed for', async () => {
    const result = await check('2026-03-07T00:00:00Z');
    expect(result.raised).toEqual(expect.arrayContaining(['drift:petal_length:distribution']));
    expect(result.training).toMatchObject({ how: 'finished' });
    const [notice, ...others] = await toldOf(1);
    expect(others).toEqual([]);
    expect(notice?.title).toContain(`${model} v1: `);
    expect(notice?.text).toContain('New data are needed.');
    expect(notice?.links.report).toBe(result.report);
    expect((await tagsOf('1'))['alarm']).toContain('petal_length');
    await takeHistory(client, 'monitor', `check-${project.id}-${checks}`);
  });

  test('is not told again while it lasts; once there are new data, they are trained on, with the evidence', async () => {
    const same = await check('2026-03-07T01:00:00Z');
    expect(same).toMatchObject({ raised: [], resolved: [], training: null });
    expect(same.open.length).toBeGreaterThan(0);
    for (const asked of [
      ['alarms', model],
      ['show', model],
      ['show', 'v1'],
      ['show', `${model}@1`],
    ]) {
      const { stdout } = await project.cli(asked);
      expect(stdout).toMatch(
        new RegExp(
          `petal_length: distribution, PSI .*since 2026-03-07 00:00 UTC +next: see what drifted: retrain drift ${model}@1`,
        ),
      );
    }
    expect((await project.cli(['show', 'nobody@3'])).stderr).toContain('there is no registered model nobody');
    appendFileSync(project.path('data/iris.csv'), '6.1,3.0,4.9,1.8,virginica\n');
    const later = await check('2026-03-07T01:30:00Z', { window: '3d' });
    expect(later.training).toBeNull();
    const day = await check('2026-03-08T00:30:00Z', { window: '3d' });
    expect(day.training).toMatchObject({ how: 'started' });
    const trained = (await client.workflow.getHandle(day.training?.workflowId ?? '').result()) as {
      mlflowRunId: string;
      outcome: string;
    };
    const { memo } = await client.workflow.getHandle(day.training?.workflowId ?? '').describe();
    expect(memo).toMatchObject({ alarm: { report: day.report } });
    const { tags } = await mlflow.runs.get(trained.mlflowRunId);
    expect(tags['alarm']).toContain('petal_length');
    expect(tags['alarm_report']).toBe(day.report);
    expect(await toldOf(1)).toHaveLength(1);
  });

  test('recovers: one notice, and the tag is emptied', async () => {
    const result = await check('2026-03-12T00:00:00Z');
    expect(result.resolved).toEqual(expect.arrayContaining(['drift:petal_length:distribution']));
    expect(result.open).toEqual([]);
    const notices = await toldOf(2);
    expect(notices).toHaveLength(2);
    expect(notices[1]?.title).toContain('resolved');
    expect(await tagsOf('1')).toMatchObject({ alarm: '' });
  });

  test('quiet hours hold a notice back until a check after them; labels that tell of a fall are an alarm', async () => {
    project.writeParams({
      drift: {
        ...DRIFT,
        on_alarm: 'notify',
        quiet: { from: '22:00', to: '07:00', timezone: 'Europe/Berlin' },
      },
    });
    // 23:30 in Berlin, in winter.
    const night = await check('2026-03-21T22:30:00Z');
    expect(night.raised).toEqual(['accuracy:live']);
    expect(night.heldUntil).toBe('2026-03-22T06:00:00.000Z');
    expect((await tagsOf('1'))['alarm']).toContain('live accuracy 0.4');
    await sleep(500);
    expect(told()).toHaveLength(2);
    expect(await check('2026-03-22T06:30:00Z')).toMatchObject({ raised: [], heldUntil: null });
    const notices = await toldOf(3);
    expect(notices).toHaveLength(3);
    expect(notices[2]?.text).toMatch(
      /accuracy is 0\.4\d*, and was [\d.]+ on held-out rows; .*the gate asks for at least 0\.9/,
    );
    await takeHistory(client, 'alarm-desk', alarmDeskWorkflowId(model));
  });

  test('a desk that is started anew goes on from the tags', async () => {
    const handle = client.workflow.getHandle(alarmDeskWorkflowId(model));
    await handle.terminate('lost');
    const again = await check('2026-03-22T06:45:00Z');
    expect(again).toMatchObject({ raised: [], resolved: [] });
    const { open } = await handle.query<AlarmState>('alarms');
    expect(open).toMatchObject([{ cause: { key: 'accuracy:live' }, since: '2026-03-21T22:30:00.000Z' }]);
    expect(told()).toHaveLength(3);
  });

  test('a table of the project can be looked at instead', async () => {
    const result = await check('2026-03-23T00:00:00Z', { data: 'data/iris.csv' });
    expect(result.notes).toMatchObject({ accuracy: 'a table was looked at, and no predictions' });
    // Nobody looked at the accuracy, so its alarm lasts.
    expect(result.open).toHaveLength(1);
  });

  test('the command line tells the alarms, and makes a schedule that looks for them', async () => {
    const { stdout } = await project.cli(['alarms', '--json']);
    expect(JSON.parse(stdout)).toMatchObject({
      model,
      version: '1',
      held: 0,
      open: [{ key: 'accuracy:live' }],
    });
    expect((await project.cli(['alarms', model])).stdout).toContain('since 2026-03-21 22:30 UTC');
    const created = await project.cli([
      'schedule',
      'create',
      '--cron',
      '0 4 1 1 *',
      '--watch',
      `${model}@1`,
      '--json',
    ]);
    const name = `watch-${model}`;
    expect(JSON.parse(created.stdout)).toMatchObject({ name, watch: { model: `${model}@1`, data: null } });
    const triggered = await project.cli(['schedule', 'trigger', name, '--json']);
    const { workflowId } = JSON.parse(triggered.stdout) as { workflowId: string };
    expect(await client.workflow.getHandle(workflowId).result()).toMatchObject({ model, modelVersion: '1' });
    await project.cli(['schedule', 'delete', name]);
    for (const wrong of [
      ['--data', 'data/iris.csv'],
      ['--watch', 'other'],
      ['--watch', model, '--out', 'x.csv'],
    ]) {
      const refused = await project.cli(['schedule', 'create', '--cron', '@daily', ...wrong]);
      expect(refused).toMatchObject({ code: 2, stdout: '' });
    }
  });

  test.each([
    [{ model: 'nobody' }, /there is no registered model nobody/],
    [{ model: `x y` }, /a model is named as/],
    [{}, /the input\.model/],
    [{ model, data: 'a.csv', log: true }, /names both data and log/],
    [{ model, data: '../../etc/passwd' }, /must stay inside the project/],
    [{ model, now: 'tomorrow' }, /the input\.now/],
    [{ model, params: 'other.yaml' }, /other\.yaml/],
  ])('refuses %j in words', async (input, words) => {
    const started = client.workflow.execute('monitorModel', {
      taskQueue: project.taskQueue,
      workflowId: `check-${project.id}-${(checks += 1)}`,
      args: [input],
    });
    await expect(started).rejects.toMatchObject({
      cause: { cause: { message: expect.stringMatching(words) as string } },
    });
  });
});
