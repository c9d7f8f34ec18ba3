import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { Client, Connection } from '@temporalio/client';
import { DefaultLogger, Runtime } from '@temporalio/worker';
import { DeterminismViolationError } from '@temporalio/workflow';
import { QUERY } from '../../../contracts/names';
import { type PipelineProgress } from '../../../contracts/progress';
import { HISTORIES, readHistory, type Recorded, replay, takeHistory } from './recorded-history';
import { sleep, TestProject } from './test-project';

jest.setTimeout(300_000);

beforeAll(() => {
  Runtime.install({ logger: new DefaultLogger('ERROR', () => undefined) });
});

describe('the committed histories', () => {
  const files = readdirSync(HISTORIES).filter((file) => file.endsWith('.json'));

  test('tell of every way that a run can end, of what a steward does, of a check, and of a collection', () => {
    expect(files.sort()).toEqual([
      // Of before alarms trained at a pace: a desk lasts for years.
      'alarm-desk-unpaced.json',
      'alarm-desk.json',
      'batch-cancelled.json',
      'batch-success.json',
      'cancelled.json',
      'collect-day.json',
      'collect-failed.json',
      'collect.json',
      'failed.json',
      'followed.json',
      'gate-failed.json',
      'monitor.json',
      'opened-first.json',
      'retried.json',
      'steward-approvals.json',
      'steward-by-hand.json',
      'steward-restored.json',
      'success.json',
    ]);
  });

  test.each(files)('%s replays', async (file) => {
    await replay(readHistory(file));
  });

  test('do not replay once altered', async () => {
    const text = readFileSync(path.join(HISTORIES, 'success.json'), 'utf8');
    const altered = text.replace('"name": "register"', '"name": "registre"');
    expect(altered).not.toBe(text);
    await expect(replay(JSON.parse(altered) as Recorded)).rejects.toThrow(DeterminismViolationError);
  });
});

/** Makes a run of each kind and replays it; see `takeHistory`. The histories of stewards, batch predictions, checks and collections are taken in their own suites. */
describe('a history made now', () => {
  const project = new TestProject({ train: { engine: 'ml-random-forest', n_estimators: 5 } });
  let connection: Connection;
  let client: Client;

  beforeAll(async () => {
    connection = await Connection.connect({ address: process.env['RETRAIN_TEST_TEMPORAL_ADDRESS'] ?? '' });
    client = new Client({ connection });
  });
  afterAll(async () => {
    await project.remove();
    await connection.close();
  });

  const take = (name: string, workflowId: string): Promise<void> => takeHistory(client, name, workflowId);

  test('of a success replays', async () => {
    await project.startWorker();
    const { result } = await project.start('--wait');
    await take('success', result?.workflowId ?? '');
  });

  test('of a run that only followed replays', async () => {
    await client.workflow.execute('trainingPipeline', {
      taskQueue: project.taskQueue,
      workflowId: `followed-${project.id}`,
    });
    await take('followed', `followed-${project.id}`);
  });

  test('of a failed gate replays', async () => {
    const { result } = await project.start('--wait', '--set', 'gate.log_loss=1e-9');
    expect(result?.outcome).toBe('gate_failed');
    await take('gate-failed', result?.workflowId ?? '');
  });

  test('of a failure replays', async () => {
    const set = ['--set', 'data.path=data/torn.csv'];
    const rows = readFileSync(project.path('data/iris.csv'), 'utf8');
    writeFileSync(project.path('data/torn.csv'), rows);
    // A clone whose data differ.
    const clone = { RETRAIN_TASK_QUEUE: project.taskQueue, RETRAIN_PROJECT_ID: project.id };
    const other = new TestProject({}, clone);
    writeFileSync(other.path('data/torn.csv'), `${rows}5.0,3.4,1.5,0.2,setosa\n`);
    const { workflowId = '' } = await other.start(...set, '--set', `model=${project.model}`);
    await expect(client.workflow.getHandle(workflowId).result()).rejects.toThrow();
    await other.remove();
    await take('failed', workflowId);
  });

  test('of a cancelled run replays', async () => {
    const { workflowId = '' } = await project.start('--set', 'train.n_estimators=9999');
    await training(workflowId);
    await project.cli(['cancel', workflowId]);
    await expect(client.workflow.getHandle(workflowId).result()).rejects.toThrow();
    await take('cancelled', workflowId);
  });

  test('of a run whose worker died replays', async () => {
    const doomed = new TestProject({ train: { engine: 'ml-random-forest', n_estimators: 4000 } });
    const first = await doomed.startWorker();
    const { workflowId = '' } = await doomed.start();
    await training(workflowId);
    await first.kill();
    await doomed.startWorker();
    await doomed.start('--wait');
    await take('retried', workflowId);
    await doomed.remove();
  });

  async function training(workflowId: string): Promise<void> {
    const handle = client.workflow.getHandle(workflowId);
    for (;;) {
      const progress = await handle.query<PipelineProgress>(QUERY.progress).catch(() => null);
      if (progress?.stages.some(({ stage, state }) => stage === 'train' && state === 'running') === true)
        break;
      await sleep(50);
    }
    await sleep(300);
  }
});
