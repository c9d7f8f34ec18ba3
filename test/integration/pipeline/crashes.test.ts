import { RegistryView } from './registry-view';
import { sleep, TestProject, type WorkerProcess } from './test-project';

jest.setTimeout(600_000);

/** How many runs are killed at the same time; each has a project, a queue and a worker of its own. */
const AT_ONCE = 5;

/**
 * Moments in ms after the worker started polling, spread over the life of a run. Some fall before the first
 * activity, some after the last: those, too, must leave one of everything.
 */
const MOMENTS = [5, 20, 35, 50, 65, 80, 95, 110, 130, 150, 170, 190, 215, 240, 270, 300, 340, 390, 450, 550];

describe('kill -9 of the worker', () => {
  test.each(
    Array.from({ length: MOMENTS.length / AT_ONCE }, (_, i) => MOMENTS.slice(i * AT_ONCE, (i + 1) * AT_ONCE)),
  )(
    'after %i, %i, %i, %i, %i ms: a restarted one completes the run; one MLflow run, one version',
    async (...moments) => {
      await Promise.all(moments.map(killAt));
    },
  );
});

async function killAt(moment: number): Promise<void> {
  const project = new TestProject({ train: { engine: 'ml-random-forest', n_estimators: 40, seed: moment } });
  const registry = new RegistryView(project.model);
  try {
    const started = await project.start();
    const doomed = await project.startWorker();
    await sleep(moment);
    await doomed.kill();
    await project.startWorker();
    const { result, code } = await project.start('--wait');
    expect({ moment, code, outcome: result?.outcome }).toEqual({ moment, code: 0, outcome: 'promoted' });
    expect(result?.workflowRunId).toBe(started.workflowRunId);
    expect(await registry.runs()).toEqual([expect.objectContaining({ status: 'FINISHED' })]);
    expect(await registry.versions()).toEqual([
      expect.objectContaining({ version: '1', aliases: ['production'] }),
    ]);
  } finally {
    await project.remove();
    await registry.close();
  }
}

describe('a worker that is stopped in mid-run', () => {
  const project = new TestProject({ train: { engine: 'ml-random-forest', n_estimators: 3000 } });
  afterAll(() => project.remove());

  test('leaves its work to the next one', async () => {
    const first = await project.startWorker();
    const { workflowRunId } = await project.start();
    await untilTraining(first);
    await first.stop();
    expect(first.log).toContain('worker ready');
    await project.startWorker();
    const { result } = await project.start('--wait');
    expect(result).toMatchObject({ outcome: 'promoted', modelVersion: '1', workflowRunId });
  });

  async function untilTraining(_worker: WorkerProcess): Promise<void> {
    for (;;) {
      const shown = await project.cli(['list', '--json']);
      if (shown.stdout.includes('"running"')) break;
      await sleep(100);
    }
    await sleep(500);
  }
});
