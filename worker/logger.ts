import { ApplicationFailure } from '@temporalio/common';
import { DefaultLogger, type LogLevel, type Logger } from '@temporalio/worker';
import pino from 'pino';
import { type WorkerConfig } from './config';
import { LogDestination } from './log-destination';

/**
 * One JSON line per event on stdout: a fixed message, the data in fields. Lines of a workflow or an activity have `workflowId`,
 * `workflowRunId`, `model` and `stage`. A log that cannot be written ends nothing.
 */
export function createLogger(level: WorkerConfig['logLevel'], fd = 1): Logger {
  const options = {
    ...{ level, base: null, timestamp: pino.stdTimeFunctions.isoTime },
    // The word: what reads logs knows no numbers of pino's.
    formatters: { level: (label: string) => ({ level: label }) },
  };
  const out = pino(options, new LogDestination(fd));
  return new DefaultLogger(LEVEL[level], (entry) => {
    const fields = fieldsOf({ ...(entry.meta as Fields | undefined) });
    // The line that ends the stage says it all.
    if (entry.message === FAILED && fields['stage'] !== undefined) return;
    const isOutage = entry.message === FAILED && fields['code'] === 'MLFLOW_UNREACHABLE';
    // That MLflow is away is told once, by a line of its own.
    out[isOutage ? 'debug' : METHOD[entry.level]](fields, entry.message);
  });
}

type Fields = Record<string, unknown>;

/** The SDK's line for an attempt that failed. */
const FAILED = 'Activity failed';

/** Without what the SDK adds that nobody looks for, and with our names. A failure that we made says all in its code and message. */
function fieldsOf({ taskToken: _token, isLocal: _local, error, runId, ...fields }: Fields): Fields {
  const run = runId === undefined ? {} : { workflowRunId: runId };
  if (error === undefined) return { ...fields, ...run };
  if (error instanceof ApplicationFailure)
    return { ...fields, ...run, code: error.type ?? '', reason: error.message };
  return { ...fields, ...run, ...(error instanceof Error ? { err: error } : { error }) };
}

const LEVEL: Record<WorkerConfig['logLevel'], LogLevel> = {
  debug: 'DEBUG',
  info: 'INFO',
  warn: 'WARN',
  error: 'ERROR',
};

const METHOD: Record<LogLevel, 'trace' | 'debug' | 'info' | 'warn' | 'error'> = {
  TRACE: 'trace',
  DEBUG: 'debug',
  INFO: 'info',
  WARN: 'warn',
  ERROR: 'error',
};
