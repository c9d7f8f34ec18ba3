import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { Client, Connection } from '@temporalio/client';
import { DefaultLogger, Runtime, Worker } from '@temporalio/worker';
import { DeterminismViolationError } from '@temporalio/workflow';
import { historyToJSON } from '@temporalio/common/lib/proto-utils';
import { QUERY } from '../../../contracts/names';
import { type PipelineProgress } from '../../../contracts/progress';
import { ROOT, sleep, TestProject } from './test-project';

jest.setTimeout(300_000);

const HISTORIES = path.join(ROOT, 'test', 'histories');
const workflowBundle = { codePath: path.join(ROOT, 'dist', 'workflow-bundle.js') };

/** A history as Temporal's own tools write it, and the id that it ran under, on which the workflow depends. */
interface Recorded {
  workflowId: string;
  events: unknown;
}

async function replay({ workflowId, events }: Recorded): Promise<void> {
  await Worker.runReplayHistory({ workflowBundle }, { events }, workflowId);
}

beforeAll(() => {
  Runtime.install({ logger: new DefaultLogger('ERROR', () => undefined) });
});

describe('the committed histories', () => {
  const files = readdirSync(HISTORIES).filter((file) => file.endsWith('.json'));

  test('tell of every way that a run can end', () => {
    expect(files.sort()).toEqual([
      'cancelled.json',
      'failed.json',
      'followed.json',
      'gate-failed.json',
      'retried.json',
      'success.json',
    ]);
  });

  test.each(files)('%s replays', async (file) => {
    await replay(JSON.parse(readFileSync(path.join(HISTORIES, file), 'utf8')) as Recorded);
  });

  test('do not replay once altered', async () => {
    const text = readFileSync(path.join(HISTORIES, 'success.json'), 'utf8');
    const altered = text.replace('"name": "register"', '"name": "registre"');
    expect(altered).not.toBe(text);
    await expect(replay(JSON.parse(altered) as Recorded)).rejects.toThrow(DeterminismViolationError);
  });
});

/**
 * Makes a run of each kind and replays it. With RECORD_HISTORIES=1 (`npm run histories`) the committed
 * histories are made anew from them, without the names of the machine that they ran on.
 */
describe('a history made now', () => {
  const record = process.env['RECORD_HISTORIES'] === '1';
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

  async function take(name: string, workflowId: string): Promise<void> {
    const history = historyToJSON(await client.workflow.getHandle(workflowId).fetchHistory());
    const recorded = withoutMachine({ workflowId, ...(JSON.parse(history) as { events: unknown }) });
    if (record) writeFileSync(path.join(HISTORIES, `${name}.json`), `${recorded}\n`);
    await replay(JSON.parse(recorded) as Recorded);
  }

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

/** Identities are `pid@host`; codes' stack traces name folders. */
function withoutMachine(recorded: Recorded): string {
  const machine = (key: string, value: unknown): unknown => {
    if (key === 'identity' || key === 'lastWorkerIdentity') return 'worker';
    return key === 'stackTrace' ? '' : value;
  };
  return JSON.stringify(recorded, machine, 1);
}
