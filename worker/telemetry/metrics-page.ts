import { Gauge } from 'prom-client';
import { type HealthReport } from '../../integrations/files/health-report';
import { type MetricsPage } from '../health';
import { type SdkMetrics } from './sdk-metrics';
import { type WorkerMetrics } from './worker-metrics';

/** One page for Prometheus: what the worker counts, what the SDK counts, and the looks at the worker's health. */
export function metricsPage(
  { registry }: WorkerMetrics,
  sdk: SdkMetrics,
  refresh: () => Promise<void>,
): MetricsPage {
  const gauge = (name: string, help: string, labelNames: string[] = []): Gauge =>
    new Gauge({ name, help, labelNames, registers: [registry] });
  const check = gauge(
    'retrain_worker_check_ok',
    '1 while a look at the worker finds nothing wrong, as GET /ready tells: poller (Temporal sees it poll), eventLoop, fileThreads, stageThreads, disk.',
    ['check'],
  );
  const threads = gauge('retrain_worker_stage_threads', 'Threads for stages in process.');
  const busy = gauge('retrain_worker_stage_threads_busy', 'Of these, at work.');
  const free = gauge(
    'retrain_worker_disk_free_bytes',
    'Room for state and content store, on the fuller of their disks.',
  );
  return {
    contentType: registry.contentType,
    async text({ checks }: HealthReport) {
      await refresh();
      sdk.drain();
      for (const [name, { ok }] of Object.entries(checks)) check.set({ check: name }, ok ? 1 : 0);
      setIfKnown(threads, checks.stageThreads['threads']);
      setIfKnown(busy, checks.stageThreads['busy']);
      setIfKnown(free, checks.disk['freeBytes']);
      return registry.metrics();
    },
  };
}

function setIfKnown(gauge: Gauge, value: unknown): void {
  if (typeof value === 'number') gauge.set(value);
}
