import { DefaultLogger, Runtime } from '@temporalio/worker';
import path from 'node:path';
import { writeWorkerFile } from '../../../integrations/files/worker-file';
import { loadWorkerConfig } from '../../../worker/config';
import { startWorker } from '../../../worker/worker';
import { type Fault, FaultSeam } from './fault-seam';

/**
 * A worker process that kills itself, as by kill -9, at one effect of one run.
 *
 * usage: node doomed-worker.js DIST WORKFLOW_ID FAULT   with the compiled project, and the fault as JSON
 */
async function main([dist = '', run = '', fault = '']: string[]): Promise<void> {
  const logger = new DefaultLogger('ERROR');
  Runtime.install({ logger, shutdownSignals: [] });
  const config = {
    ...loadWorkerConfig(),
    workflowBundle: path.join(dist, 'workflow-bundle.js'),
    stageCodeFile: path.join(dist, 'stage-code.json'),
    threadEntry: path.join(dist, 'stages', 'thread-entry.js'),
  };
  const seam = new FaultSeam(() => process.kill(process.pid, 'SIGKILL'));
  seam.plan(run, [JSON.parse(fault) as Fault]);
  const { done } = await startWorker(config, logger, (services) => seam.wrap(services));
  writeWorkerFile(config.readyFile, { pid: process.pid, health: '' });
  await done;
}

void main(process.argv.slice(2));
