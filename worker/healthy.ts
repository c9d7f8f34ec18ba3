import { readyWorkers } from '../integrations/files/worker-file';
import { loadWorkerConfig } from './config';

/**
 * The probe of a container or a pod: exits 0 while the worker beside it polls. A worker's file is there from the first poll
 * to the shutdown, and names a process that lives.
 */
process.exitCode = readyWorkers(loadWorkerConfig().stateDir).length > 0 ? 0 : 1;
