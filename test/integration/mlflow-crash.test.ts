import { randomUUID } from 'node:crypto';
import { plainExchange } from '../../integrations/mlflow/plain-exchange';
import { mlflowSettings } from '../../integrations/mlflow/settings';
import { CrashRig, wholeRun } from '../integrations/mlflow/crash-rig';

const settings = mlflowSettings({ MLFLOW_TRACKING_URI: process.env['RETRAIN_TEST_MLFLOW_URI'] });

/** The same at every request, on a server in memory: test/integrations/mlflow/crash.test.ts. */
describe('a run on a real server whose worker dies, or whose answer is lost', () => {
  const rig = new CrashRig(settings, plainExchange);
  let requests: number;
  beforeAll(async () => {
    requests = await rig.requests();
  });
  afterAll(() => rig.close());

  test('sends as many requests as to the one in memory', () => {
    expect(requests).toBeGreaterThan(12);
    expect(requests).toBeLessThan(25);
  });

  test('early, in the middle or late: the next attempt leaves one run and one version', async () => {
    for (const part of [0.25, 0.5, 0.75]) await rig.diesAt(Math.round(requests * part), 'after');
  }, 120_000);

  test('the same attempt goes on over a broken connection', async () => {
    for (const part of [0.25, 0.5, 0.75]) await rig.breaksAt(Math.round(requests * part), 'after');
  }, 120_000);

  test('a worker of the next workflow run finds the dead one’s run and marks it KILLED', async () => {
    const name = `crash-${randomUUID()}`;
    const identity = rig.identity();
    await rig.die(name, identity, 6, 'after');
    const next = { ...identity, workflowRunId: randomUUID() };
    const { runId } = await wholeRun(rig.healthy, rig.experiment, name, next);
    expect((await rig.runs(identity)).map((run) => [run.runId === runId, run.status])).toEqual([
      [false, 'KILLED'],
      [true, 'FINISHED'],
    ]);
  });
});
