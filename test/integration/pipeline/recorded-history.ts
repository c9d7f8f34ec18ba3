import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { type Client } from '@temporalio/client';
import { historyToJSON } from '@temporalio/common/lib/proto-utils';
import { type InjectedSinks, Worker } from '@temporalio/worker';
import { type ObservedSinks } from '../../../contracts/observed';
import { ROOT } from './test-project';

export const HISTORIES = path.join(ROOT, 'test', 'histories');
/** What workflows tell of themselves was told when they ran. */
const told = { fn: () => undefined, callDuringReplay: false };
const sinks: InjectedSinks<ObservedSinks> = { observed: { workflowEnded: told, noticeGivenUp: told } };
const workflowBundle = { codePath: path.join(ROOT, 'dist', 'workflow-bundle.js') };

/** A history as Temporal's own tools write it, and the id that it ran under, on which the workflow depends. */
export interface Recorded {
  workflowId: string;
  events: unknown;
}

/** @throws DeterminismViolationError when the workflows no longer do what the history tells */
export async function replay({ workflowId, events }: Recorded): Promise<void> {
  await Worker.runReplayHistory({ workflowBundle, sinks }, { events }, workflowId);
}

export function readHistory(file: string): Recorded {
  return JSON.parse(readFileSync(path.join(HISTORIES, file), 'utf8')) as Recorded;
}

/**
 * Replays the history of a workflow, ended or not. With RECORD_HISTORIES=1 (`npm run histories`) the committed one is made anew
 * from it, without the names of the machine that it ran on.
 */
export async function takeHistory(client: Client, name: string, workflowId: string): Promise<void> {
  const history = historyToJSON(await client.workflow.getHandle(workflowId).fetchHistory());
  const recorded = withoutMachine({ workflowId, ...(JSON.parse(history) as { events: unknown }) });
  if (process.env['RECORD_HISTORIES'] === '1') {
    writeFileSync(path.join(HISTORIES, `${name}.json`), `${recorded}\n`);
  }
  await replay(JSON.parse(recorded) as Recorded);
}

/** Identities are `pid@host`; codes' stack traces name folders. */
function withoutMachine(recorded: Recorded): string {
  const machine = (key: string, value: unknown): unknown => {
    if (key === 'identity' || key === 'lastWorkerIdentity') return 'worker';
    return key === 'stackTrace' ? '' : value;
  };
  return JSON.stringify(recorded, machine, 1);
}
