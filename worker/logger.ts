import { DefaultLogger, type LogLevel, type Logger } from '@temporalio/worker';
import pino from 'pino';
import { type WorkerConfig } from './config';
import { LogDestination } from './log-destination';

/** One JSON line per event on stdout: a fixed message, the data in fields. A log that cannot be written ends nothing. */
export function createLogger(level: WorkerConfig['logLevel'], fd = 1): Logger {
  const options = { level, base: null, timestamp: pino.stdTimeFunctions.isoTime };
  const out = pino(options, new LogDestination(fd));
  return new DefaultLogger(LEVEL[level], (entry) => {
    const fields = { ...(entry.meta as Record<string, unknown> | undefined) };
    if (fields['error'] instanceof Error) fields['err'] = fields['error'];
    out[METHOD[entry.level]](fields, entry.message);
  });
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
