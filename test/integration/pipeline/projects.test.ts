import { readdirSync, writeFileSync } from 'node:fs';
import { Client, Connection } from '@temporalio/client';
import { freePort } from '../../../client/stack/ports';
import { QUERY } from '../../../contracts/names';
import { type PipelineProgress } from '../../../contracts/progress';
import { RegistryView } from './registry-view';
import { sleep, TestProject, WorkerProcess } from './test-project';

jest.setTimeout(300_000);

describe('two projects on one Temporal server with the same task queue', () => {
  const first = new TestProject();
  const second = new TestProject({}, { RETRAIN_TASK_QUEUE: first.taskQueue });
  const registry = new RegistryView(second.model);

  afterAll(async () => {
    await first.remove();
    await second.remove();
    await registry.close();
  });

  async function refused(): Promise<string> {
    const worker = new WorkerProcess(second, {});
    expect(await worker.ended()).toBe(2);
    return worker.log;
  }

  test('the worker of the second does not start while the first one’s polls, and names the variable to set', async () => {
    await first.startWorker();
    const log = await refused();
    expect(log).toContain(`task queue ${first.taskQueue} is used by another project`);
    expect(log).toContain(`set RETRAIN_TASK_QUEUE to a queue of this project's own`);
    expect(log).not.toContain('    at ');
    const up = await second.cli(['up'], { RETRAIN_API_PORT: String(await freePort()) });
    expect(up).toMatchObject({ code: 2 });
    expect(up.stderr).toContain('set RETRAIN_TASK_QUEUE');
    await second.cli(['down']);
  });

  test('a run that the second starts there fails at once, with the same words, and leaves no MLflow run', async () => {
    const { code, stderr } = await second.cli(['start', '--wait']);
    expect(code).toBe(2);
    expect(stderr).toContain(`is worked on by project`);
    expect(stderr).toContain('set RETRAIN_TASK_QUEUE');
    expect(await registry.runs()).toEqual([]);
  });

  test('what the second asks for without saying what it is about is refused, too', async () => {
    const name = `nightly-${second.id}`;
    await second.cli(['schedule', 'create', '--cron', '0 3 * * *', '--name', name]);
    const triggered = await second.cli(['schedule', 'trigger', name, '--json']);
    await second.cli(['schedule', 'delete', name]);
    const { workflowId } = JSON.parse(triggered.stdout) as { workflowId: string };
    await expect(resultOf(workflowId)).rejects.toMatchObject({
      cause: { cause: { type: 'WRONG_PROJECT' } },
    });
  });

  test('a queue on which its first project has open workflows stays its own while no worker polls it', async () => {
    const away = new TestProject();
    const { workflowId = '' } = await away.start();
    second.env['RETRAIN_TASK_QUEUE'] = away.taskQueue;
    expect(await refused()).toContain(`workflow ${workflowId} is open`);
    await away.startWorker();
    expect(await away.start('--wait')).toMatchObject({ code: 0, result: { outcome: 'promoted' } });
    await away.remove();
  });

  test('on a queue of its own the second one works', async () => {
    second.env['RETRAIN_TASK_QUEUE'] = `${first.taskQueue}-two`;
    await second.startWorker();
    expect(await second.start('--wait')).toMatchObject({ code: 0, result: { outcome: 'promoted' } });
  });

  async function resultOf(workflowId: string): Promise<unknown> {
    return withClient((client) => client.workflow.getHandle(workflowId).result());
  }
});

describe('a second worker on the same state folder', () => {
  test('leaves the scratch of the first one alone, and what a killed one left goes', async () => {
    const project = new TestProject({ train: { engine: 'ml-random-forest', n_estimators: 2000 } });
    const scratch = (): string[] => readdirSync(project.path('.retrain/scratch'));
    try {
      const first = await project.startWorker();
      const { workflowId = '' } = await project.start();
      await training(workflowId);
      const second = await project.startWorker();
      expect(scratch()).toHaveLength(2);
      const { code, result } = await project.start('--wait');
      expect({ code, outcome: result?.outcome }).toEqual({ code: 0, outcome: 'promoted' });
      expect(await attempts(workflowId)).toEqual([1]);
      await second.kill();
      expect(scratch()).toHaveLength(2);
      writeFileSync(project.path('.retrain/scratch/left-by-an-older-version'), '');
      const third = await project.startWorker();
      expect(scratch()).toHaveLength(3);
      await first.stop();
      await third.stop();
      await (await project.startWorker()).stop();
      expect(scratch()).toEqual([]);
    } finally {
      await project.remove();
    }
  });

  async function training(workflowId: string): Promise<void> {
    await withClient(async (client) => {
      const handle = client.workflow.getHandle(workflowId);
      for (;;) {
        const progress = await handle.query<PipelineProgress>(QUERY.progress).catch(() => null);
        if (progress?.stages.some(({ stage, state }) => stage === 'train' && state === 'running')) return;
        await sleep(50);
      }
    });
  }

  /** In how many attempts each activity that was tried again came to its end; [1] when none was. */
  async function attempts(workflowId: string): Promise<number[]> {
    return withClient(async (client) => {
      const { events } = await client.workflow.getHandle(workflowId).fetchHistory();
      const seen = (events ?? []).flatMap(({ activityTaskStartedEventAttributes: started }) =>
        started == null ? [] : [Number(started.attempt)],
      );
      return [...new Set(seen)];
    });
  }
});

async function withClient<T>(work: (client: Client) => Promise<T>): Promise<T> {
  const connection = await Connection.connect({
    address: process.env['RETRAIN_TEST_TEMPORAL_ADDRESS'] ?? '',
  });
  try {
    return await work(new Client({ connection }));
  } finally {
    await connection.close();
  }
}
