import {
  Client,
  WorkflowUpdateFailedError,
  WorkflowUpdateRPCTimeoutOrCancelledError,
} from '@temporalio/client';
import { ApplicationFailure } from '@temporalio/common';
import { STEWARD_BUSY, UPDATE } from '../../contracts/names';
import { askSteward } from '../../temporal/ask-steward';

const late = new WorkflowUpdateRPCTimeoutOrCancelledError('late');
const busy = new WorkflowUpdateFailedError('failed', ApplicationFailure.create({ type: STEWARD_BUSY }));

/** Answers each ask as the script says. @returns the ids under which it was asked */
async function ids(script: readonly (Error | string)[]): Promise<string[]> {
  const seen: string[] = [];
  const client = Object.create(Client.prototype, {
    withAbortSignal: { value: (_: AbortSignal, ask: () => Promise<unknown>) => ask() },
    workflow: {
      value: {
        executeUpdateWithStart: async (_: string, { updateId }: { updateId: string }) => {
          const answer = script[seen.push(updateId) - 1];
          return answer instanceof Error ? Promise.reject(answer) : Promise.resolve(answer);
        },
      },
    },
  }) as Client;
  const ask = { client, taskQueue: 'q', model: 'iris', update: UPDATE.rollback, args: {}, id: 'one' };
  expect(await askSteward(ask)).toBe('done');
  return seen;
}

test('an ask whose answer is late goes on under its id: nothing is done twice', async () => {
  expect(await ids([late, late, 'done'])).toEqual(['one-0', 'one-0', 'one-0']);
});

test('one that a busy steward refused is asked anew', async () => {
  expect(await ids([busy, late, 'done'])).toEqual(['one-0', 'one-1', 'one-1']);
});
