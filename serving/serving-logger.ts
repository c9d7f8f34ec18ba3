import pino from 'pino';
import { RetrainError } from '../contracts/errors';
import { type ApiLogger } from './api/context';

const LEVELS = ['debug', 'info', 'warn', 'error'];

/** One JSON line per event on stdout: a fixed message, the data in fields. @throws RetrainError CONFIG_INVALID */
export function createServingLogger(level = 'info'): ApiLogger {
  const chosen = level === '' ? 'info' : level.toLowerCase();
  if (!LEVELS.includes(chosen))
    throw new RetrainError('CONFIG_INVALID', `LOG_LEVEL must be one of ${LEVELS.join(', ')}, got ${level}`);
  const out = pino({
    ...{ level: chosen, base: null, timestamp: pino.stdTimeFunctions.isoTime },
    // The word: what reads logs knows no numbers of pino's.
    formatters: { level: (label) => ({ level: label }) },
  });
  return {
    info: (message, fields) => out.info(fields, message),
    warn: (message, fields) => out.warn(fields, message),
    error: (message, fields) => out.error(fields, message),
  };
}
