import { Registry } from 'prom-client';
import { SdkMetrics } from '../../worker/telemetry/sdk-metrics';
import { BoundedLabel, labelValue } from '../../worker/telemetry/bounds';
import { WorkerMetrics } from '../../worker/telemetry/worker-metrics';
import { samplesIn, sumOf, type Sample } from '../integration/monitoring/samples';

const seenBy = async (registry: Registry): Promise<Sample[]> => samplesIn(await registry.metrics());

describe('labels that strangers choose', () => {
  test('are one line of at most 100 plain characters', () => {
    expect(labelValue(`a\n b\u202e"${'x'.repeat(200)}`)).toHaveLength(100);
    expect(labelValue('a\nb\u0007')).toBe('a b?');
    expect(labelValue('')).toBe('unknown');
  });

  test('share one value once there are too many, and the first ones keep theirs', () => {
    const label = new BoundedLabel(2);
    expect(['a', 'b', 'c', 'd', 'a'].map((name) => label.of(name))).toEqual([
      'a',
      'b',
      'other',
      'other',
      'a',
    ]);
  });
});

describe('what a worker counts', () => {
  const end = { outcome: 'failed', durationMs: 1500 } as const;

  test('is bounded, however many models there are', async () => {
    const metrics = new WorkerMetrics();
    for (let at = 0; at < 1000; at++)
      metrics.workflowEnded('trainingPipeline', { ...end, model: `model-${at}` }, true);
    const runs = (await seenBy(metrics.registry)).filter(({ name }) => name === 'retrain_runs_total');
    expect(new Set(runs.map(({ labels }) => labels['model'])).size).toBe(201);
    expect(sumOf(runs, 'retrain_runs_total', { outcome: 'failed' })).toBe(1000);
    expect(sumOf(runs, 'retrain_runs_total', { outcome: 'failed', model: 'other' })).toBe(801);
  });

  test('begins at 0 where a first event must be seen as an increase', async () => {
    const metrics = new WorkerMetrics();
    metrics.modelSeen('iris');
    metrics.channelsKnown(['slack']);
    const seen = await seenBy(metrics.registry);
    const zero = (name: string, labels: Record<string, string>): void => {
      const found = seen.filter(
        (sample) =>
          sample.name === name &&
          Object.entries(labels).every(([key, value]) => sample.labels[key] === value),
      );
      expect(found.map(({ value }) => value)).toEqual([0]);
    };
    zero('retrain_runs_total', { model: 'iris', outcome: 'failed' });
    zero('retrain_runs_total', { model: 'unknown', outcome: 'failed' });
    zero('retrain_workflows_total', { workflow: 'batchPrediction', outcome: 'failed' });
    zero('retrain_notices_given_up_total', { channel: 'slack' });
    zero('retrain_activity_retries_total', { activity: 'train', reason: 'heartbeat' });
  });

  test('a clock that is behind the server’s makes no negative waits', async () => {
    const metrics = new WorkerMetrics();
    metrics.attemptBegan('train', 'retrain', -3);
    expect(sumOf(await seenBy(metrics.registry), 'retrain_activity_queue_seconds_sum')).toBe(0);
  });
});

describe('metrics of the SDK', () => {
  const metric = { name: 'temporal_request', unit: '', description: 'Requests', valueType: 'int' } as const;
  let sdk: SdkMetrics;
  let registry: Registry;
  beforeEach(() => {
    registry = new Registry();
    sdk = new SdkMetrics(registry);
  });
  afterEach(() => sdk.close());

  test('get the names of the SDK’s own endpoint, and no service name', async () => {
    sdk.take({
      metric: { ...metric, kind: 'counter' },
      value: 2,
      attributes: { operation: 'Poll', service_name: 'x' },
    });
    sdk.take({
      metric: { ...metric, name: 'temporal_request_latency', unit: 's', kind: 'histogram' },
      value: 0.02,
      attributes: {},
    });
    const seen = await seenBy(registry);
    expect(seen).toContainEqual({ name: 'temporal_request_total', labels: { operation: 'Poll' }, value: 2 });
    expect(sumOf(seen, 'temporal_request_latency_seconds_bucket', { le: '0.025' })).toBe(1);
  });

  test('keep a label that the first update did not have', async () => {
    const counter = { ...metric, kind: 'counter' } as const;
    sdk.take({ metric: counter, value: 1, attributes: { operation: 'Info' } });
    sdk.take({ metric: counter, value: 1, attributes: { operation: 'Poll', namespace: 'default' } });
    expect(sumOf(await seenBy(registry), 'temporal_request_total', { namespace: 'default' })).toBe(1);
  });

  test('leave out what strangers make up beyond 500 series, and say so', async () => {
    for (let at = 0; at < 600; at++)
      sdk.take({
        metric: { ...metric, kind: 'counter' },
        value: 1,
        attributes: { workflow_type: `made-up-${at}` },
      });
    const seen = await seenBy(registry);
    expect(seen.filter(({ name }) => name === 'temporal_request_total')).toHaveLength(500);
    expect(sumOf(seen, 'retrain_metrics_dropped_total')).toBe(100);
  });

  test('take deltas and values of gauges for what they are', async () => {
    const gauge = (kind: 'gauge' | 'up-down-counter', name: string, value: number): void =>
      sdk.take({ metric: { ...metric, name, kind }, value, attributes: {} });
    for (const value of [3, 2]) gauge('gauge', 'temporal_slots', value);
    for (const value of [3, -1]) gauge('up-down-counter', 'temporal_open', value);
    const seen = await seenBy(registry);
    expect([sumOf(seen, 'temporal_slots'), sumOf(seen, 'temporal_open')]).toEqual([2, 2]);
  });
});
