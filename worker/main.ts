import { mkdir, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { Runtime } from '@temporalio/worker';
import { RetrainError } from '../contracts/errors';
import { loadWorkerConfig, type WorkerConfig } from './config';
import { createLogger } from './logger';
import { startWorker } from './worker';

/** The worker process: starts, says that it is ready, stops in order on SIGTERM or SIGINT. */
async function main(): Promise<void> {
  const config = loadWorkerConfig();
  const logger = createLogger(config.logLevel);
  Runtime.install({
    logger,
    // Signals are ours: the SDK's own handler would not wait for the clean-up below.
    shutdownSignals: [],
    telemetryOptions: { logging: { forward: {}, filter: 'WARN' } },
  });
  const running = await startWorker(config, logger);
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => running.shutdown());
  await announceReady(config);
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
    await rm(config.readyFile, { force: true });
  }
}

async function announceReady({ readyFile }: WorkerConfig): Promise<void> {
  await mkdir(path.dirname(readyFile), { recursive: true });
  await writeFile(readyFile, `${process.pid}\n`);
}

main().catch((error: unknown) => {
  const line =
    error instanceof RetrainError ? error.message : error instanceof Error ? error.stack : String(error);
  process.stderr.write(`error: ${line}\n`);
  process.exit(error instanceof RetrainError ? error.exitCode : 1);
});
