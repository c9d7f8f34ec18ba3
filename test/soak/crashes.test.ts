import { RegistryView } from '../integration/pipeline/registry-view';
import { sleep, TestProject } from '../integration/pipeline/test-project';

jest.setTimeout(600_000);

/** How many runs are killed at the same time; each has a project, a queue and a worker of its own. */
const AT_ONCE = 5;

/**
 * Moments in ms after the worker started polling, by chance over the life of a run. Some fall before the first
 * activity, some after the last: those, too, must leave one of everything. Each stands in the name of its test.
 */
const MOMENTS = Array.from({ length: 20 }, () => Math.round(Math.random() ** 2 * 1500));

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
