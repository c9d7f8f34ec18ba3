import { buildSync } from 'esbuild';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { Client, Connection } from '@temporalio/client';
import { alarmDeskWorkflowId } from '../../../contracts/names';
import { type AlarmNotice, type AlarmState } from '../../../contracts/alarm';
import { type Notice } from '../../../contracts/notice';
import { type MonitorResult } from '../../../contracts/watch';
import { createMlflow } from '../../../integrations/mlflow/client';
import { mlflowSettings } from '../../../integrations/mlflow/settings';
import { receiver, type Receiver } from '../../integrations/notify/receiver';
import { ROOT, sleep, TestProject, type WorkerProcess } from '../pipeline/test-project';
import { writeLog } from './logged-iris';
import { nightly } from '../../tools/nightly';

jest.setTimeout(300_000);

const DRIFT = { min_rows: 60, window: '2d', joint: false, accuracy: { labels_min: 40 } };
const SECRET = 's'.repeat(32);

describe('an alarm is told once', () => {
  const project = new TestProject({ drift: DRIFT });
  const { model } = project;
  let hook: Receiver;
  let connection: Connection;
  let client: Client;
  let dir: string;
  let worker: WorkerProcess;
  const mlflow = createMlflow(mlflowSettings({}, project.env['MLFLOW_TRACKING_URI'] ?? ''));

  beforeAll(async () => {
    hook = await receiver((response) => response.end());
    connection = await Connection.connect({ address: project.env['TEMPORAL_ADDRESS'] ?? '' });
    client = new Client({ connection });
    const cache = path.join(ROOT, 'node_modules', '.cache');
    mkdirSync(cache, { recursive: true });
    // Inside node_modules, so that the packages are found from there.
    dir = mkdtempSync(path.join(cache, 'doomed-worker-'));
  });
  afterAll(async () => {
    rmSync(dir, { recursive: true, force: true });
    await hook.close();
    await mlflow.close();
    await connection.close();
    await project.remove();
  });

  const check = (id: string, now: string, version = '1'): Promise<MonitorResult> =>
    client.workflow.execute('monitorModel', {
      taskQueue: project.taskQueue,
      workflowId: `check-${project.id}-${id}`,
      args: [{ model: `${model}@${version}`, now }],
    }) as Promise<MonitorResult>;

  /** By id, by which receivers drop what an attempt told again whose answer was lost. */
  const told = (): string[] => [
    ...new Set(
      hook.received
        .map(({ body }) => (JSON.parse(body) as { data: Notice }).data)
        .filter(({ kind }) => kind === 'drift')
        .map(({ id }) => id),
    ),
  ];

  test('where the worker is killed between the notice and the tag', async () => {
    const env = { RETRAIN_WEBHOOK_URL: hook.url, RETRAIN_WEBHOOK_SECRET: SECRET };
    const program = path.join(dir, 'doomed-worker.js');
    const entryPoints = [path.join(__dirname, '../pipeline/doomed-worker.ts')];
    const format = { bundle: true, platform: 'node', format: 'cjs', packages: 'external' } as const;
    buildSync({ ...format, entryPoints, outfile: program, logLevel: 'error' });
    // The process that answers for onnxruntime is started from beside it.
    const child = path.join(ROOT, 'serving/model/onnx-child.ts');
    buildSync({
      ...format,
      entryPoints: [child],
      outfile: path.join(dir, 'onnx-child.js'),
      logLevel: 'error',
    });
    const effect = 'showAlarms: mlflow.registry.setVersionTags#1';
    const fault = JSON.stringify({ effect, when: 'before', kind: 'crash' });
    const doomed = await project.startWorker(env, [
      ...[program, path.join(ROOT, 'dist'), alarmDeskWorkflowId(model), fault],
    ]);
    expect(await project.start('--wait')).toMatchObject({ code: 0 });
    await writeLog(project, '1', [
      { day: '2026-03-05', rows: 80, shift: 3 },
      { day: '2026-03-06', rows: 80, shift: 3 },
      { day: '2026-03-10', rows: 80 },
      { day: '2026-03-11', rows: 80 },
      { day: '2026-03-20', rows: 80, shift: 3 },
      { day: '2026-03-21', rows: 80, shift: 3 },
    ]);
    const asked = check('killed', '2026-03-07T00:00:00Z');
    expect(await doomed.ended()).toBe('SIGKILL');
    worker = await project.startWorker(env);
    expect((await asked).raised.length).toBeGreaterThan(0);
    expect((await mlflow.registry.getVersion(model, '1')).tags['alarm']).toContain('petal_length');
    while (told().length === 0) await sleep(100);
    expect(await check('again', '2026-03-07T01:00:00Z')).toMatchObject({ raised: [] });
    expect(told()).toHaveLength(1);
  });

  nightly('where two schedules meet', async () => {
    // Two checks without it, for it is over by default after two.
    await check('clear-1', '2026-03-12T00:00:00Z');
    expect((await check('clear-2', '2026-03-12T01:00:00Z')).open).toEqual([]);
    while (told().length < 2) await sleep(100);
    const both = await Promise.all(['one', 'other'].map((id) => check(id, '2026-03-22T00:00:00Z')));
    const raised = both.map((one) => one.raised.length).sort((a, b) => a - b);
    expect(raised[0]).toBe(0);
    expect(raised[1]).toBeGreaterThan(0);
    while (told().length < 3) await sleep(100);
    await sleep(500);
    expect(told()).toHaveLength(3);
  });

  nightly(
    'a training on drifted data that gains nothing is an alarm; one on other data that are distributed alike is none',
    async () => {
      const file = project.path('data/iris.csv');
      const [header = '', ...rows] = readFileSync(file, 'utf8').trim().split('\n');
      // A column that tells little.
      const drifted = rows.map((row) => {
        const [length, width, ...rest] = row.split(',');
        return [length, (Number(width) + 2).toFixed(1), ...rest].join(',');
      });
      writeFileSync(file, `${[header, ...rows, rows[3]].join('\n')}\n`);
      expect(await project.start('--wait')).toMatchObject({ code: 0, result: { modelVersion: '2' } });
      const alike = await check('alike', '2026-03-22T02:00:00Z');
      expect(alike.notes.training).toBe('version 2: its training rows are distributed as those of version 1');
      writeFileSync(file, `${[header, ...drifted].join('\n')}\n`);
      const started = await project.start('--wait');
      expect(started).toMatchObject({ code: 0, result: { modelVersion: '3' } });
      const gained = await check('gained', '2026-03-22T03:00:00Z');
      expect(gained.raised).toEqual(['training:v3']);
      expect(gained.notes.training).toBe('version 3 was trained on drifted data without better accuracy');
      const { tags } = await mlflow.registry.getVersion(model, '3');
      expect(JSON.parse(tags['training_gain'] ?? '')).toMatchObject({
        drifted: ['sepal_width'],
        gained: false,
      });
      // What was noted is not looked at again, and not told again.
      expect(await check('noted', '2026-03-22T04:00:00Z')).toMatchObject({ raised: [], resolved: [] });
      // Another version is watched: the alarms go on with it, and the one before shows none.
      expect(await check('moved', '2026-03-22T05:00:00Z', '2')).toMatchObject({ raised: [], resolved: [] });
      const [one, two] = await Promise.all(
        ['1', '2'].map(async (version) => (await mlflow.registry.getVersion(model, version)).tags),
      );
      expect(one).toMatchObject({ alarm: '', alarm_state: '' });
      expect(two?.['alarm']).toContain('version 3 was trained on drifted data');
    },
  );

  nightly('nothing is told of a version whose place another took while it was looked at', async () => {
    const { version } = (await mlflow.registry.findByAlias(model, 'production'))!;
    const other = version === '1' ? '2' : '1';
    await worker.kill();
    const env = { RETRAIN_WEBHOOK_URL: hook.url, RETRAIN_WEBHOOK_SECRET: SECRET };
    const fault = { effect: 'recordWatch: mlflow.runs.log#1', when: 'before', kind: 'crash' };
    const id = `check-${project.id}-moved-on`;
    const doomed = await project.startWorker(env, [
      ...[path.join(dir, 'doomed-worker.js'), path.join(ROOT, 'dist'), id, JSON.stringify(fault)],
    ]);
    const before = told().length;
    const asked = check('moved-on', '2026-03-22T00:00:00Z', 'production');
    expect(await doomed.ended()).toBe('SIGKILL');
    await mlflow.registry.setAlias(model, 'production', other);
    worker = await project.startWorker(env);
    expect(await asked).toMatchObject({ modelVersion: version, raised: [], open: [], supersededBy: other });
    expect(told()).toHaveLength(before);
    await mlflow.registry.setAlias(model, 'production', version);
  });

  nightly('what quiet hours held back is told when they end, though nobody checks', async () => {
    const name = `held-${project.id}`;
    const notice: AlarmNotice = {
      ...{
        id: `held-${project.id}`,
        title: 'held back',
        text: 'It drifted.',
        modelVersion: '1',
        reason: 'drift',
      },
      ...{ mlflowRunId: null, mlflowExperimentId: null, report: null, at: new Date().toISOString() },
    };
    const until = new Date(Date.now() + 1500).toISOString();
    const held: AlarmState['held'] = [{ notice, until, clock: 'machine' }];
    const state: AlarmState = { version: '1', open: [], held, trainedAt: null, checks: [] };
    const desk = await client.workflow.start('alarmDesk', {
      taskQueue: project.taskQueue,
      workflowId: alarmDeskWorkflowId(name),
      args: [{ model: name, state }],
    });
    while (!told().includes(notice.id)) await sleep(100);
    expect(Date.now()).toBeGreaterThanOrEqual(Date.parse(until));
    expect(await desk.query<AlarmState>('alarms')).toMatchObject({ held: [] });
    await desk.terminate('the test is over');
  });

  nightly('what cannot be checked is told once', async () => {
    const name = `foreign-${project.id}`;
    await mlflow.registry.ensureModel(name);
    project.writeParams({ drift: DRIFT, model: name });
    const experimentId = await mlflow.experiments.ensure(name);
    const run = await mlflow.runs.findOrCreateTagged(experimentId, 'by hand', ['made', 'by hand']);
    await mlflow.artifacts.uploadBytes(run.artifactUri, 'model/notes.txt', Buffer.from('no model'));
    await mlflow.registry.findOrCreateVersion({
      ...{ name, runId: run.runId, source: `runs:/${run.runId}/model`, tags: {} },
    });
    const look = (id: string): Promise<MonitorResult> =>
      client.workflow.execute('monitorModel', {
        taskQueue: project.taskQueue,
        workflowId: `check-${project.id}-${id}`,
        args: [{ model: `${name}@1`, now: '2026-03-07T00:00:00Z' }],
      }) as Promise<MonitorResult>;
    const first = await look('foreign');
    expect(first.raised.sort()).toEqual(['watch:accuracy', 'watch:drift']);
    expect(first.notes.training).toBe('no version was trained by retrain');
    expect(await look('foreign-again')).toMatchObject({ raised: [] });
    const desk = client.workflow.getHandle(alarmDeskWorkflowId(name));
    await desk.terminate('the test is over');
  });
});
