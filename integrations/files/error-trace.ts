import { appendFileSync, mkdirSync } from 'node:fs';
import path from 'node:path';
import { putAsideWhenLarge } from './log-rotation';
import { makeStateFolder, PRIVATE_FILE } from './state-folder';

/** Traces of a hundred errors or so; what is older is kept five times. */
const LARGEST_BYTES = 1 << 20;

/**
 * One line for people about an error that we did not foresee. Where in the code it was thrown goes to `logs/errors.log` of the state
 * folder, for whoever looks into it.
 */
export function unforeseen(error: unknown, state: string): string {
  const text = error instanceof Error ? error.message : String(error);
  const line = (text.split('\n', 1)[0] ?? '').slice(0, 500);
  const file = keepTrace(error, state);
  const where = file === null ? '' : `; where it happened is in ${path.relative(process.cwd(), file)}`;
  return `${line === '' ? 'something went wrong without a word' : line} (an error that retrain did not foresee${where})`;
}

function keepTrace(error: unknown, state: string): string | null {
  const file = path.join(state, 'logs', 'errors.log');
  const trace = error instanceof Error ? (error.stack ?? error.message) : String(error);
  try {
    makeStateFolder(state);
    mkdirSync(path.dirname(file), { recursive: true });
    putAsideWhenLarge(file, LARGEST_BYTES);
    appendFileSync(file, `${new Date().toISOString()} ${process.argv.slice(1, 3).join(' ')}\n${trace}\n\n`, {
      mode: PRIVATE_FILE,
    });
    return file;
  } catch {
    return null;
  }
}
