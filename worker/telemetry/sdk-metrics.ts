import { Counter, Gauge, Histogram, type Registry } from 'prom-client';
import { type BufferedMetricUpdate, MetricsBuffer } from '@temporalio/worker';
import { labelValue } from './bounds';

/** Between two scrapes, at most this often is the buffer emptied, in ms; it holds ten thousand updates. */
const DRAIN_MS = 1000;

/**
 * Labels that the SDK gives. Not every update of a metric has all of them, and a metric must know its labels from its first one on; of one
 * that is missing here, and in that first update, the series are added up.
 */
const LABELS = [
  ...['namespace', 'task_queue', 'operation', 'workflow_type', 'activity_type', 'worker_type', 'poller_type'],
  ...['eager', 'failure_reason', 'status_code', 'cause', 'exception', 'nexus_service', 'nexus_operation'],
];

/** Series of one metric: names of workflow types are the server's users', who may make up any. */
const MOST_SERIES = 500;

/** Time that polls, tasks and calls take, in seconds. */
const SECONDS_BUCKETS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 3600];
const COUNT_BUCKETS = [1, 2, 5, 10, 25, 50, 100, 250, 500, 1000];

interface Series {
  add(labels: Record<string, string>, value: number): void;
  seen: Set<string>;
  labelNames: readonly string[];
}

/**
 * Metrics of Temporal's SDK among our own, under the names that its own Prometheus endpoint gives them with
 * `countersTotalSuffix`, `unitSuffix` and `useSecondsForDurations`; see https://docs.temporal.io/references/sdk-metrics.
 */
export class SdkMetrics {
  /** For `Runtime.install`. */
  readonly buffer = new MetricsBuffer({ useSecondsForDurations: true });
  private readonly series = new Map<string, Series>();
  private readonly dropped: Counter;
  private readonly timer: NodeJS.Timeout;

  constructor(private readonly registry: Registry) {
    this.dropped = new Counter({
      name: 'retrain_metrics_dropped_total',
      help: 'Updates of metrics of the Temporal SDK that were left out: their metric had 500 series already.',
      registers: [registry],
    });
    this.timer = setInterval(() => this.drain(), DRAIN_MS).unref();
  }

  /** Brings the registry up to date. */
  drain(): void {
    for (const update of this.buffer.retrieveUpdates()) this.take(update);
  }

  close(): void {
    clearInterval(this.timer);
  }

  /** @internal for tests */
  take({ metric, value, attributes }: BufferedMetricUpdate): void {
    const labels = Object.fromEntries(
      Object.entries(attributes)
        .filter(([name]) => name !== 'service_name')
        .map(([name, label]) => [name.replace(/[^a-zA-Z0-9_]/g, '_'), labelValue(String(label))]),
    );
    const series = this.seriesOf(metric, Object.keys(labels));
    const own = Object.fromEntries(
      Object.entries(labels).filter(([name]) => series.labelNames.includes(name)),
    );
    const key = JSON.stringify(own);
    if (!series.seen.has(key)) {
      if (series.seen.size >= MOST_SERIES) {
        this.dropped.inc();
        return;
      }
      series.seen.add(key);
    }
    series.add(own, value);
  }

  private seriesOf(metric: BufferedMetricUpdate['metric'], labelNames: readonly string[]): Series {
    const known = this.series.get(metric.name);
    if (known !== undefined) return known;
    const made = this.make(metric, [...new Set([...LABELS, ...labelNames])]);
    this.series.set(metric.name, made);
    return made;
  }

  private make(
    { kind, name, unit, description }: BufferedMetricUpdate['metric'],
    labelNames: readonly string[],
  ): Series {
    const base = name.startsWith('temporal_') ? name : `temporal_${name}`;
    const inSeconds = unit === 's' || unit === 'seconds' || unit === 'ms' || unit === 'milliseconds';
    const shared = {
      help: description === undefined || description === '' ? `Of the Temporal SDK: ${base}.` : description,
      labelNames,
      registers: [this.registry],
    };
    const seen = new Set<string>();
    if (kind === 'counter') {
      const counter = new Counter({ ...shared, name: `${base}_total` });
      return { seen, labelNames, add: (labels, value) => counter.inc(labels, value) };
    }
    if (kind === 'histogram') {
      const histogram = new Histogram({
        ...shared,
        name: inSeconds ? `${base}_seconds` : base,
        buckets: inSeconds ? SECONDS_BUCKETS : COUNT_BUCKETS,
      });
      return { seen, labelNames, add: (labels, value) => histogram.observe(labels, value) };
    }
    const gauge = new Gauge({ ...shared, name: base });
    const isDelta = kind === 'up-down-counter';
    return {
      ...{ seen, labelNames },
      add: (labels, value) => (isDelta ? gauge.inc(labels, value) : gauge.set(labels, value)),
    };
  }
}
