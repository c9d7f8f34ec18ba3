import { askHealth, complaintOf } from '../integrations/files/health-report';
import { readyWorkers } from '../integrations/files/worker-file';
import { loadWorkerConfig } from './config';

/**
 * The probe of a container whose runtime cannot ask over HTTP: exits 0 while a worker beside it polls and has what it needs, else 1 with
 * what is wrong.
 */
async function main(): Promise<number> {
  const complaints: string[] = [];
  for (const { pid, health } of readyWorkers(loadWorkerConfig().stateDir)) {
    const report = await askHealth(health, AbortSignal.timeout(2500));
    if (report?.ready === true) return 0;
    complaints.push(`worker ${pid}: ${complaintOf(report)}`);
  }
  process.stderr.write(`${complaints.length === 0 ? 'no worker is ready here' : complaints.join('\n')}\n`);
  return 1;
}

void main().then((code) => {
  process.exitCode = code;
});
