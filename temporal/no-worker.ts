import { RetrainError } from '../contracts/errors';

/** What to say of a run on a task queue that no worker polls: it is not lost, and nobody is at it. */
export const waitsForWorker = (workflowId: string, taskQueue: string): string =>
  `${workflowId} waits on task queue ${taskQueue}, which no worker polls; start one: \`npm run worker\`, or \`retrain up\``;

/** The same where somebody asked for it to be done now. */
export const noWorker = (workflowId: string, taskQueue: string): RetrainError =>
  new RetrainError('NO_WORKER', waitsForWorker(workflowId, taskQueue));
