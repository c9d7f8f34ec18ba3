import { bundleWorkflowCode, DefaultLogger, Runtime } from '@temporalio/worker';
import { Client, Connection } from '@temporalio/client';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { QUERY } from '../../contracts/names';
import { type PipelineProgress } from '../../contracts/progress';
import { type WorkerConfig } from '../../worker/config';
import { type RunningWorker, startWorker } from '../../worker/worker';
import { RegistryView } from '../integration/pipeline/registry-view';
import { ROOT, sleep, TestProject } from '../integration/pipeline/test-project';
import { workerConfigOf } from '../integration/pipeline/worker-config';

jest.setTimeout(300_000);

const silent = new DefaultLogger('ERROR', () => undefined);

/** What the next version does between preprocess and train: another activity. */
const STEP = `await act(tracking, 'a step of the next version').countPollers({ queue: 'upgraded' });`;

describe('a worker that is upgraded in the middle of a run', () => {
  const project = new TestProject({ train: { engine: 'ml-random-forest', n_estimators: 2500 } });
  const registry = new RegistryView(project.model);
  let dir: string;
  let config: WorkerConfig;
  let connection: Connection;
  let client: Client;

  beforeAll(async () => {
    Runtime.install({ logger: silent });
    const cache = path.join(ROOT, 'node_modules', '.cache');
    mkdirSync(cache, { recursive: true });
    dir = mkdtempSync(path.join(cache, 'upgrade-'));
    config = workerConfigOf(project);
    connection = await Connection.connect({ address: config.temporal.address });
    client = new Client({ connection });
  });
  afterAll(async () => {
    rmSync(dir, { recursive: true, force: true });
    await connection.close();
    await registry.close();
    await project.remove();
  });

  /** The workflows of the next version, with this after preprocess. */
  async function nextVersion(name: string, step: string): Promise<WorkerConfig> {
    const sources = path.join(dir, name);
    for (const folder of ['workflows', 'contracts']) {
      cpSync(path.join(ROOT, 'dist', folder), path.join(sources, folder), { recursive: true });
    }
    const file = path.join(sources, 'workflows', 'training-run.js');
    const now = readFileSync(file, 'utf8');
    const next = now.replace(
      /(this\.warnings = \([^\n]+\)\.warnings;)/,
      `$1 ${step.replace('act(tracking', 'act(activity_options_1.tracking').replace('patched(', '(0, workflow_1.patched)(')}`,
    );
    expect(next).not.toBe(now);
    writeFileSync(file, next);
    const { code } = await bundleWorkflowCode({
      workflowsPath: path.join(sources, 'workflows', 'index.js'),
      logger: silent,
    });
    const workflowBundle = path.join(dir, `${name}.js`);
    writeFileSync(workflowBundle, code);
    return { ...config, workflowBundle };
  }

  async function until(holds: () => Promise<boolean>): Promise<void> {
    while (!(await holds())) await sleep(50);
  }

  async function training(workflowId: string): Promise<boolean> {
    const { stages } = await client.workflow
      .getHandle(workflowId)
      .query<PipelineProgress>(QUERY.progress)
      .catch((): Pick<PipelineProgress, 'stages'> => ({ stages: [] }));
    return stages.some(({ stage, state }) => stage === 'train' && state === 'running');
  }

  async function stop(worker: RunningWorker): Promise<void> {
    worker.shutdown();
    await worker.done;
  }

  /** Types of the activities that a run scheduled. */
  async function activities(workflowId: string): Promise<string[]> {
    const { events } = await client.workflow.getHandle(workflowId).fetchHistory();
    return (events ?? []).flatMap(
      ({ activityTaskScheduledEventAttributes: scheduled }) => scheduled?.activityType?.name ?? [],
    );
  }

  test('behind patched(), a new step is for runs that begin after it; those that go on end as they began', async () => {
    const now = await startWorker(config, silent);
    const { workflowId = '' } = await project.start();
    await until(() => training(workflowId));
    await stop(now);
    const next = await startWorker(await nextVersion('patched', `if (patched('step')) ${STEP}`), silent);
    expect(await project.start('--wait')).toMatchObject({ code: 0, result: { outcome: 'promoted' } });
    expect(await activities(workflowId)).not.toContain('countPollers');
    expect((await registry.runs()).map(({ status }) => status)).toEqual(['FINISHED']);

    const fresh = await project.start('--wait', '--set', 'train.seed=7', '--set', 'train.n_estimators=3');
    expect(fresh.code).toBe(0);
    expect(await activities(fresh.workflowId ?? '')).toContain('countPollers');
    await stop(next);
  });

  test('without, a run that goes on stands still and is not damaged: the worker of before completes it', async () => {
    const now = await startWorker(config, silent);
    const { workflowId = '' } = await project.start('--set', 'train.seed=8');
    await until(() => training(workflowId));
    await stop(now);
    const next = await startWorker(await nextVersion('careless', STEP), silent);
    await until(async () => {
      const { events } = await client.workflow.getHandle(workflowId).fetchHistory();
      return (events ?? []).some(({ workflowTaskFailedEventAttributes: failed }) =>
        (failed?.failure?.message ?? '').includes('TMPRL1100'),
      );
    });
    await stop(next);
    const back = await startWorker(config, silent);
    const done = await project.start('--wait', '--set', 'train.seed=8');
    expect(done).toMatchObject({ code: 0, result: { workflowId } });
    await stop(back);
  });
});
