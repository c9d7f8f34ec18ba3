import { rm } from 'node:fs/promises';
import { Runtime } from '@temporalio/worker';
import { RetrainError } from '../contracts/errors';
import { unforeseen } from '../integrations/files/error-trace';
import { storageTrouble } from '../integrations/files/storage-trouble';
import { makeStateFolder } from '../integrations/files/state-folder';
import { writeScrapeTarget } from '../integrations/files/scrape-target';
import { writeWorkerFile } from '../integrations/files/worker-file';
import { currentState, loadWorkerConfig } from './config';
import { serveHealth } from './health';
import { keepLogsSmall } from './log-keeper';
import { createLogger } from './logger';
import { metricsPage } from './telemetry/metrics-page';
import { SdkMetrics } from './telemetry/sdk-metrics';
import { WorkerMetrics } from './telemetry/worker-metrics';
import { startWorker } from './worker';

/** The worker process: starts, says that it is ready, stops in order on SIGTERM or SIGINT. */
async function main(): Promise<void> {
  const config = loadWorkerConfig();
  const logger = createLogger(config.logLevel);
  const metrics = new WorkerMetrics();
  const sdk = new SdkMetrics(metrics.registry);
  Runtime.install({
    logger,
    // Signals are ours: the SDK's own handler would not wait for the clean-up below.
    shutdownSignals: [],
    telemetryOptions: {
      logging: { forward: {}, filter: 'WARN' },
      metrics: { buffer: sdk.buffer },
    },
  });
  makeStateFolder(config.stateDir);
  const leaveLogs = keepLogsSmall(config.stateDir, (error) => {
    logger.warn('logs not put aside', { reason: String(error) });
  });
  const running = await startWorker(config, logger, undefined, metrics);
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => running.shutdown());
  const health = await serveHealth(
    config.health,
    running.checks,
    metricsPage(metrics, sdk, () => running.refreshMetrics()),
  );
  const leaveTargets = writeScrapeTarget(config.stateDir, 'retrain-worker', health.url);
  writeWorkerFile(config.readyFile, { pid: process.pid, health: health.url });
  logger.info('worker ready', {
    taskQueue: config.taskQueue,
    namespace: config.temporal.namespace,
    temporal: config.temporal.address,
    mlflow: config.mlflow.uri,
    pid: process.pid,
  });
  try {
    await running.done;
  } finally {
    leaveLogs();
    leaveTargets();
    sdk.close();
    await health.close();
    await rm(config.readyFile, { force: true });
  }
}

main().catch((error: unknown) => {
  const known = error instanceof RetrainError ? error : storageTrouble(error, { folder: currentState() });
  process.stderr.write(`error: ${known?.message ?? unforeseen(error, currentState())}\n`);
  process.exit(known?.exitCode ?? 1);
});
