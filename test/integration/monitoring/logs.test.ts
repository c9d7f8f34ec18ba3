import { TestProject } from '../pipeline/test-project';

jest.setTimeout(180_000);

type Line = Record<string, unknown>;

describe('a worker’s log', () => {
  const secret = 'hook-secret-4711';
  const project = new TestProject(
    { retry: { maximum_attempts: 2, initial_interval: '100ms' } },
    { SLACK_WEBHOOK_URL: `http://127.0.0.1:9/${secret}` },
  );
  let text = '';
  let lines: Line[];
  const said = (message: string, fields: Line = {}): Line[] =>
    lines.filter(
      (line) =>
        line['msg'] === message && Object.entries(fields).every(([name, value]) => line[name] === value),
    );

  beforeAll(async () => {
    const worker = await project.startWorker();
    expect((await project.start('--wait')).code).toBe(0);
    expect((await project.start('--wait', '--set', 'gate.accuracy=0.99999')).code).toBe(3);
    // A filter that leaves no row fails in its stage.
    await project.start('--wait', '--set', 'preprocess.filter=sepal_length > 1000');
    await worker.stop();
    text = worker.log;
    lines = text
      .split('\n')
      .filter(Boolean)
      .map((line) => JSON.parse(line) as Line);
  });
  afterAll(() => project.remove());

  test('is JSON, with the level as a word', () => {
    expect(new Set(lines.map(({ level }) => level))).toEqual(new Set(['info', 'warn', 'error']));
  });

  test('has workflow, run, model and stage on each line of a run', () => {
    const ofRuns = lines.filter(({ workflowType }) => workflowType === 'trainingPipeline');
    expect(ofRuns.length).toBeGreaterThan(20);
    for (const line of ofRuns)
      expect(line).toMatchObject({
        workflowId: expect.stringMatching(/^train-/) as string,
        workflowRunId: expect.any(String) as string,
        model: project.model,
      });
  });

  test('tells each run from its start to its end', () => {
    expect(said('run started')).toHaveLength(3);
    expect(said('run finished', { outcome: 'promoted', modelVersion: '1' })).toEqual([
      expect.objectContaining({ durationMs: expect.any(Number) as number, reused: [] }),
    ]);
    const [gated] = said('run finished', { outcome: 'gate_failed' });
    expect(gated).toMatchObject({ reused: ['preprocess', 'train'] });
    expect(said('run failed', { level: 'error' })).toEqual([
      expect.objectContaining({ reason: expect.any(String) as string }),
    ]);
  });

  test('tells each stage: where it ran, how long, and whether its result was known', () => {
    for (const stage of ['preprocess', 'train', 'evaluate', 'register', 'promote']) {
      expect(said('stage started', { stage }).length).toBeGreaterThanOrEqual(2);
      expect(said('stage ended', { stage, outcome: 'done', executor: 'in-process' })[0]).toMatchObject({
        durationMs: expect.any(Number) as number,
      });
    }
    expect(said('stage ended', { stage: 'train', outcome: 'reused' })).toHaveLength(1);
    const failed = said('stage ended', { stage: 'preprocess', outcome: 'failed', level: 'warn' });
    expect(failed.length).toBeGreaterThanOrEqual(1);
    expect(failed[0]).toMatchObject({
      code: expect.any(String) as string,
      reason: expect.any(String) as string,
    });
  });

  test('tells of a notice that does not get through, by its code', () => {
    expect(said('Activity failed', { activityType: 'sendNotice' })[0]).toMatchObject({
      level: 'warn',
      code: 'NOTIFIER_FAILED',
    });
    expect(said('activity tried again', { activityType: 'sendNotice' })[0]).toMatchObject({
      reason: 'NOTIFIER_FAILED',
    });
  });

  test('has no secret, no trace of our code, and none of the SDK’s tokens', () => {
    expect(text).not.toContain(secret);
    expect(text).not.toMatch(/\\n +at /);
    expect(text).not.toContain('taskToken');
  });
});
