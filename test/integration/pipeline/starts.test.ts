import { writeFileSync } from 'node:fs';
import { Client, Connection, WorkflowFailedError } from '@temporalio/client';
import { RegistryView } from './registry-view';
import { describeStartsAtOnce } from './starts-at-once';
import { sleep, TestProject } from './test-project';

jest.setTimeout(240_000);

let connection: Connection;
let client: Client;

beforeAll(async () => {
  connection = await Connection.connect({ address: process.env['RETRAIN_TEST_TEMPORAL_ADDRESS'] ?? '' });
  client = new Client({ connection });
});
afterAll(async () => {
  await connection.close();
});

// Fifty of them: test/soak/starts.test.ts.
describeStartsAtOnce(12);

describe('a wait with a time limit', () => {
  const project = new TestProject();
  afterAll(() => project.remove());

  test('ends with it, and says that the run goes on', async () => {
    const { code, stdout, stderr } = await project.cli(['start', '--wait', '--json', '--timeout', '2s']);
    expect({ code, error: (JSON.parse(stdout) as { error?: object }).error }).toMatchObject({
      ...{ code: 1, error: { code: 'WAIT_TIMED_OUT' } },
    });
    expect(stderr).toContain('not ended within 2 s (--timeout), and goes on');
    await project.startWorker();
    expect(await project.start('--wait')).toMatchObject({ how: 'attached', code: 0 });
  });

  test('must be a duration', async () => {
    const { code, stderr } = await project.cli(['start', '--wait', '--timeout', 'soon']);
    expect(code).toBe(2);
    expect(stderr).toContain('--timeout must be a duration such as 90s, 30m or 2h, got soon');
  });
});

describe('a start from the Web UI', () => {
  const project = new TestProject();
  const registry = new RegistryView(project.model);
  beforeAll(async () => {
    await project.startWorker();
  });
  afterAll(async () => {
    await project.remove();
    await registry.close();
  });

  const startAsWebUi = (workflowId: string, args: unknown[]): Promise<unknown> =>
    client.workflow.execute('trainingPipeline', { taskQueue: project.taskQueue, workflowId, args });

  test('needs the type and the task queue only, and hands over to the canonical run', async () => {
    const result = (await startAsWebUi(`clicked-${project.id}`, [])) as {
      workflowId: string;
      outcome: string;
    };
    expect(result).toMatchObject({ outcome: 'promoted', modelVersion: '1' });
    expect(result.workflowId).toMatch(`train-${project.model}-`);
    expect(await startAsWebUi(`clicked-again-${project.id}`, [{}])).toEqual(result);
    expect(await registry.runs()).toHaveLength(1);
  });

  test('takes overrides and force', async () => {
    const args = [{ overrides: { train: { n_estimators: 11 } } }];
    const first = await startAsWebUi(`override-${project.id}`, args);
    expect(first).toMatchObject({ modelVersion: '2' });
    const forced = await startAsWebUi(`force-${project.id}`, [{ ...args[0], force: true }]);
    expect(forced).toMatchObject({ modelVersion: '3' });
  });

  test('with SQL of their own is refused, and told who may bring some', async () => {
    const overrides = { preprocess: { sql: "select * from read_text('.env')" } };
    const failed = startAsWebUi(`sql-${project.id}`, [{ overrides }]);
    await expect(failed).rejects.toThrow(WorkflowFailedError);
    await failed.catch((error: WorkflowFailedError) =>
      expect(String((error.cause as Error & { cause?: Error }).cause?.message)).toMatch(
        /^overrides: a trigger may not change preprocess\.sql, as .* --set/,
      ),
    );
  });

  test('with a mistake in the input fails with the one line that says it', async () => {
    const failed = startAsWebUi(`typo-${project.id}`, [{ overrides: { trian: {} } }]);
    await expect(failed).rejects.toThrow(WorkflowFailedError);
    await failed.catch((error: WorkflowFailedError) =>
      expect(String((error.cause as Error & { cause?: Error }).cause?.message)).toContain(
        'did you mean train?',
      ),
    );
  });

  test.each([
    ['of an activity', [{ overrides: { trian: {} } }], 'did you mean train?'],
    ['of workflow code', [{ forse: true }], 'unknown key'],
  ])('that fails by the words %s shows no trace of our code', async (title, args, words) => {
    const workflowId = `traceless-${title.length}-${project.id}`;
    await expect(startAsWebUi(workflowId, args)).rejects.toThrow(WorkflowFailedError);
    const history = JSON.stringify(await client.workflow.getHandle(workflowId).fetchHistory());
    expect(history).toContain(words);
    expect(history.match(/"stackTrace":"[^"]+"/g)).toBeNull();
  });
});

describe('a run that cannot go on', () => {
  const project = new TestProject();
  const registry = new RegistryView(project.model);
  beforeAll(async () => {
    await project.startWorker();
  });
  afterAll(async () => {
    await project.remove();
    await registry.close();
  });

  test('because the data changed after the start fails with both hashes, and starts again with the new data', async () => {
    const lone = new TestProject();
    const { workflowId } = await lone.start();
    writeFileSync(lone.path('data/iris.csv'), 'a,species\n1,x\n2,y\n1,x\n2,y\n');
    await lone.startWorker();
    const failed: unknown = await client.workflow
      .getHandle(workflowId ?? '')
      .result()
      .catch((error: unknown) => error);
    const message = String(((failed as Error).cause as Error & { cause?: Error }).cause?.message);
    expect(message).toMatch(/data\/iris\.csv.*[0-9a-f]{64}.*[0-9a-f]{64}/);
    const view = new RegistryView(lone.model);
    expect(await view.runs()).toEqual([expect.objectContaining({ status: 'FAILED' })]);
    expect((await view.runs())[0]?.tags['failure_reason']).toContain('data/iris.csv');
    await view.close();
    await lone.remove();
  });

  test('because it was cancelled stops the training within 5 s and marks the MLflow run KILLED', async () => {
    const params = [
      '--set',
      'train.n_estimators=10000',
      '--set',
      'train.engine=ml-random-forest',
      '--set',
      'train.seed=1',
    ];
    const { workflowId = '' } = await project.start(...params);
    const handle = client.workflow.getHandle(workflowId);
    const training = async (): Promise<boolean> => {
      const { stages } = await handle.query<{ stages: { stage: string; state: string }[] }>('progress');
      return stages.some(({ stage, state }) => stage === 'train' && state === 'running');
    };
    while (!(await training().catch(() => false))) await sleep(50);
    const asked = Date.now();
    expect((await project.cli(['cancel', workflowId])).code).toBe(0);
    await expect(handle.result()).rejects.toThrow('Workflow execution cancelled');
    const [run] = await registry.runs();
    expect(run).toMatchObject({ status: 'KILLED', tags: { failure_reason: 'the run was cancelled' } });
    // Printed, as no test fails on time; that it was stopped shows in the run having no version.
    console.info(`cancelled and closed after ${(run?.endedAt ?? NaN) - asked} ms`);
    expect(await registry.versions()).toEqual([]);
  });

  test('is started again by the next start', async () => {
    const again = await project.start('--wait');
    expect(again).toMatchObject({ how: 'started', code: 0, result: { outcome: 'promoted' } });
  });
});

describe('mistakes', () => {
  const project = new TestProject();
  afterAll(() => project.remove());

  test.each([
    ['a wrong target column', { data: { path: 'data/iris.csv', target: 'spices' } }, 'spices'],
    ['data that is not there', { data: { path: 'data/isir.csv', target: 'species' } }, 'data/isir.csv'],
    [
      'data outside the project',
      { data: { path: '../iris.csv', target: 'species' } },
      'data.path must stay inside the project',
    ],
  ])('%s: exit code 2, one line, before anything starts', async (_what, params, message) => {
    project.writeParams(params);
    const { code, stderr } = await project.cli(['start'], {
      TEMPORAL_ADDRESS: '127.0.0.1:1',
      MLFLOW_TRACKING_URI: 'http://127.0.0.1:1',
    });
    expect({ code, lines: stderr.trim().split('\n').length }).toEqual({ code: 2, lines: 1 });
    expect(stderr).toContain(message);
  });

  test('servers that are down: exit code 4 and what to do', async () => {
    project.writeParams({});
    const { code, stderr } = await project.cli(['start'], { MLFLOW_TRACKING_URI: 'http://127.0.0.1:1' });
    expect(code).toBe(4);
    expect(stderr).toContain('retrain up');
  });
});
