import { readFileSync } from 'node:fs';
import { isAlive } from '../integrations/files/process-alive';
import { loadWorkerConfig } from './config';

/**
 * The probe of a container or a pod: exits 0 while the worker beside it polls. The ready file is there from the first poll to the
 * shutdown, and names a process that lives.
 */
function healthy(file: string): boolean {
  try {
    return isAlive(Number(readFileSync(file, 'utf8')));
  } catch {
    return false;
  }
}

process.exitCode = healthy(loadWorkerConfig().readyFile) ? 0 : 1;
