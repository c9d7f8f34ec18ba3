import { randomUUID } from 'node:crypto';
import { setMaxListeners } from 'node:events';
import path from 'node:path';
import { StageDetached } from '../../../integrations/docker/container-executor';
import { sweepOrphans } from '../../../integrations/docker/orphans';
import { BASE_IMAGE, describeWithDocker, engine } from './engine';
import { OwnEngine } from './own-engine';
import { read, Workbench } from './workbench';
import { testWith } from '../../tools/needs';

jest.setTimeout(120_000);

describeWithDocker('the container of an activity', () => {
  let bench: Workbench;
  beforeEach(() => {
    bench = new Workbench();
  });
  afterEach(() => bench.close());

  test('is taken on by the next attempt, running or ended, and not started again', async () => {
    const owner = { workflowRunId: randomUUID() };
    const script = 'echo started; sleep 2; date +%s%N > /stage/out/when; echo done';
    bench.cancelled = false;
    const first = bench.run(script, {}, bench.executor(), owner).catch((error: unknown) => error);
    await bench.untilPrinted('started');
    bench.cancel.abort(new Error('the worker shuts down'));
    expect(await first).toBeInstanceOf(StageDetached);
    const [running, ...others] = await bench.containers();
    expect(others).toEqual([]);
    expect(running?.state).toBe('running');

    const next = await bench.describe(script, {}, { ...owner, attempt: 2 });
    const seen: (string | undefined)[] = [];
    await bench.executor().run({
      ...next,
      signal: new AbortController().signal,
      prepare: () => Promise.reject(new Error('prepared again')),
      onProgress: ({ container }) => seen.push(container),
    });
    expect(seen).toContain(running?.id.slice(0, 12));
    expect(read(path.join(next.dir, 'out', 'when'))).toMatch(/^\d+\n$/);
    expect(await bench.containers()).toEqual([]);
  });

  test('that failed before is not taken on: the stage is done again', async () => {
    const owner = { workflowRunId: randomUUID() };
    const run = await bench.describe('exit 3', {}, owner);
    await run.prepare();
    // As a worker leaves it that died between the end of the container and its removal.
    bench.cancelled = false;
    const dying = bench
      .run('echo started; sleep 1; exit 3', {}, bench.executor(), owner)
      .catch(() => undefined);
    await bench.untilPrinted('started');
    bench.cancel.abort(new Error('the worker shuts down'));
    await dying;
    const [left] = await bench.containers();
    await engine.getContainer(left?.id ?? '').wait();

    const again = await bench.describe('echo again > /stage/out/text', {}, { ...owner, attempt: 2 });
    await bench.executor().run({ ...again, signal: new AbortController().signal });
    expect(read(path.join(again.dir, 'out', 'text'))).toBe('again\n');
  });

  test('nobody waits for is swept, with its folder; one that is waited for stays', async () => {
    bench.cancelled = false;
    const script = 'echo started; sleep 600';
    const both = ['wanted', 'orphan'].map((activityId) =>
      bench.run(script, {}, bench.executor(), { activityId }).catch(() => undefined),
    );
    while (bench.lines.length < 2) await new Promise((resolve) => setTimeout(resolve, 50));
    bench.cancel.abort(new Error('the worker dies'));
    await Promise.all(both);
    const swept = await sweepOrphans(engine, bench.scope, bench.scratchDir, async ({ activityId }) =>
      Promise.resolve(activityId === 'wanted'),
    );
    expect(swept).toEqual({ removed: 1, kept: [expect.stringMatching(/-wanted$/)] });
    const [kept, ...others] = await bench.containers();
    expect(others).toEqual([]);
    await engine.getContainer(kept?.id ?? '').remove({ force: true });
  });

  test('30 at once on a limit of 4 never exceed 4', async () => {
    const executor = bench.executor({ RETRAIN_DOCKER_CONCURRENCY: '4' });
    // Thirty stages listen to one signal.
    setMaxListeners(100, bench.cancel.signal);
    let most = 0;
    let watching = true;
    const watch = (async () => {
      while (watching) {
        most = Math.max(most, (await bench.containers()).length);
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
    })();
    await Promise.all(Array.from({ length: 30 }, () => bench.run('sleep 0.2', { cpus: 0.5 }, executor)));
    watching = false;
    await watch;
    expect(most).toBeGreaterThan(1);
    expect(most).toBeLessThanOrEqual(4);
    expect(bench.progress).toContainEqual({ phase: 'waiting for a free container slot' });
  });

  test('of an engine that is away cannot be started: retryable, and it says where it looked', async () => {
    const executor = bench.executor({ DOCKER_HOST: 'unix:///nowhere/docker.sock' });
    const run = await bench.describe('true');
    await expect(executor.run(run)).rejects.toMatchObject({
      code: 'DOCKER_UNREACHABLE',
      retryable: true,
      message: expect.stringContaining('no Docker engine answers at unix:///nowhere/docker.sock') as string,
    });
  });
});

describeWithDocker('an engine that goes away in mid-stage', () => {
  const own = new OwnEngine();
  const needsOwn = testWith('second-engine', OwnEngine.possible());
  beforeAll(() => {
    if (!OwnEngine.possible()) return;
    own.start();
    own.copyImage(BASE_IMAGE);
  });
  afterAll(() => own.remove());

  needsOwn.each(['SIGTERM', 'SIGKILL'] as const)(
    'by %s and comes back: the attempt fails and says why, the next one does the work',
    async (signal) => {
      const bench = new Workbench();
      const executor = bench.executor({ DOCKER_HOST: own.host });
      const owner = { workflowRunId: randomUUID() };
      const first = bench
        .run('echo started; sleep 600', {}, executor, owner)
        .catch((error: unknown) => error);
      await bench.untilPrinted('started');
      await own.end(signal);
      own.start();
      expect(await first).toMatchObject({
        code: 'STAGE_FAILED',
        message: `train (${BASE_IMAGE}) was ended when the Docker engine stopped; it is tried again on the new one`,
      });
      const { out } = await bench.run('echo again > /stage/out/text', {}, executor, { ...owner, attempt: 2 });
      expect(read(path.join(out, 'text'))).toBe('again\n');
      await bench.close();
    },
  );
});
