import { type Context } from '@temporalio/activity';
import { ApplicationFailure, ApplicationFailureCategory, CancelledFailure } from '@temporalio/common';
import { activityObserver } from '../../worker/telemetry/activity-observer';
import { RetryReasons } from '../../worker/telemetry/retry-reasons';
import { WorkerMetrics } from '../../worker/telemetry/worker-metrics';
import { samplesIn, sumOf, type Sample } from '../integration/monitoring/samples';

type Line = Record<string, unknown>;

interface Observed {
  output: unknown;
  lines: Line[];
  failures: string[];
  seen: Sample[];
}

/** One attempt of an activity under the observer, and what was counted of it. */
async function attempt(
  activityType: string,
  asked: unknown,
  work: () => Promise<unknown>,
  options: { attempt?: number; metrics?: WorkerMetrics; lastFailure?: object } = {},
): Promise<Observed> {
  const metrics = options.metrics ?? new WorkerMetrics();
  const lines: Line[] = [];
  const failures: string[] = [];
  const write =
    (level: string) =>
    (msg: string, fields: object = {}): void =>
      void lines.push({ level, msg, ...fields });
  const info = {
    ...{ activityType, activityId: '7', taskQueue: 'retrain', attempt: options.attempt ?? 1 },
    currentAttemptScheduledTimestampMs: Date.now() - 250,
    workflowExecution: { workflowId: 'train-iris', runId: 'r' },
  };
  const raw = { pendingActivities: [{ activityId: '7', lastFailure: options.lastFailure }] };
  const client = { workflow: { getHandle: () => ({ describe: () => Promise.resolve({ raw }) }) } };
  const observer = activityObserver({
    metrics,
    reasons: new RetryReasons(client as unknown as ConstructorParameters<typeof RetryReasons>[0]),
    onFailure: (code) => failures.push(code),
  });
  const log = { info: write('info'), warn: write('warn') };
  const { inbound } = observer({ info, log } as unknown as Context);
  const output = await inbound
    ?.execute?.({ args: [asked], headers: {} }, work)
    .catch((error: unknown) => error);
  await new Promise((resolve) => setImmediate(resolve));
  return { output, lines, failures, seen: samplesIn(await metrics.registry.metrics()) };
}

const done = (): Promise<unknown> => Promise.resolve({ ok: true });

describe('what is counted of an activity', () => {
  test('is how long it waited and how it ended, and its answer stays as it is', async () => {
    const { output, seen, lines } = await attempt('openRun', { spec: { params: { model: 'iris' } } }, done);
    expect(output).toEqual({ ok: true });
    expect(lines).toEqual([]);
    expect(sumOf(seen, 'retrain_activity_attempts_total', { activity: 'openRun', outcome: 'done' })).toBe(1);
    expect(sumOf(seen, 'retrain_activity_queue_seconds_sum', { activity: 'openRun' })).toBeGreaterThan(0.2);
  });

  test.each([
    [
      'failed',
      ApplicationFailure.create({ type: 'MLFLOW_UNREACHABLE', message: 'away' }),
      'MLFLOW_UNREACHABLE',
    ],
    ['interrupted', ApplicationFailure.create({ type: 'WORKER_STOPPED' }), undefined],
    ['nothing_new', ApplicationFailure.create({ category: ApplicationFailureCategory.BENIGN }), undefined],
    ['cancelled', new CancelledFailure('cancelled'), undefined],
    ['failed', new TypeError('x is not a function'), ''],
  ])('is that it has %s, and the error goes on', async (outcome, error, code) => {
    const { output, seen, failures } = await attempt('register', {}, () => Promise.reject(error));
    expect(output).toBe(error);
    expect(sumOf(seen, 'retrain_activity_attempts_total', { outcome })).toBe(1);
    expect(sumOf(seen, 'retrain_stage_seconds_count', { stage: 'register', outcome })).toBe(1);
    expect(failures).toEqual(code === undefined ? [] : [code]);
  });

  test.each([
    ['heartbeat', { timeoutFailureInfo: { timeoutType: 4 } }],
    ['STAGE_FAILED', { applicationFailureInfo: { type: 'STAGE_FAILED' } }],
    ['failed', { applicationFailureInfo: { type: `made up ${'x'.repeat(500)}` } }],
    ['unknown', undefined],
  ])('is that it follows another that was ended by %s, as the server tells', async (reason, lastFailure) => {
    const options = { attempt: 2, ...(lastFailure === undefined ? {} : { lastFailure }) };
    const { seen, lines } = await attempt('sendNotice', { channel: 'slack' }, done, options);
    expect(sumOf(seen, 'retrain_activity_retries_total', { activity: 'sendNotice', reason })).toBe(1);
    expect(lines).toEqual([{ level: 'warn', msg: 'activity tried again', reason }]);
    expect(sumOf(seen, 'retrain_notice_attempts_total', { channel: 'slack', outcome: 'done' })).toBe(1);
  });

  test.each([null, 7, 'text', { spec: null }, { spec: {} }, { spec: { params: { train: 7 } } }])(
    'fails nothing when it was asked %j',
    async (asked) => {
      const { output } = await attempt('train', asked, done);
      expect(output).toEqual({ ok: true });
    },
  );

  test('are the figures of a check that was written down', async () => {
    const watch = { model: 'iris', now: '2026-03-09T00:00:00Z' };
    const looks = [
      { metrics: { drift_worst_stability: 0.4 }, columns: { 'petal\nlength': 0.4 } },
      { metrics: { live_accuracy: 0.9 } },
    ];
    const { seen } = await attempt('recordWatch', { watch, looks }, done);
    expect(sumOf(seen, 'retrain_watch_figure', { model: 'iris', figure: 'drift_worst_stability' })).toBe(0.4);
    expect(sumOf(seen, 'retrain_watch_figure', { model: 'iris', figure: 'live_accuracy' })).toBe(0.9);
    // A stranger's name is a label on one line.
    expect(sumOf(seen, 'retrain_watch_figure', { model: 'iris', figure: 'psi.petal length' })).toBe(0.4);
  });
});
