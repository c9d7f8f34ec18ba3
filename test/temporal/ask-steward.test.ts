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

/** As gRPC tells it. */
const failing = Object.assign(
  new Error('Unable to perform workflow execution update due to Workflow Task in failed state.'),
  { code: 9, details: 'Update-with-Start could not be executed.' },
);

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

describe('a steward whose workflow task fails', () => {
  beforeEach(() => void jest.useFakeTimers());
  afterEach(() => void jest.useRealTimers());

  test('is asked again under the same id, as one of a worker that is starved goes on', async () => {
    const asked = ids([failing, failing, failing, 'done']);
    await jest.advanceTimersByTimeAsync(10_000);
    expect(await asked).toEqual(['one-0', 'one-0', 'one-0', 'one-0']);
  });

  test('is told after a minute, with what to do', async () => {
    const asked = ids(Array.from({ length: 100 }, () => failing)).catch((error: unknown) => error);
    await jest.advanceTimersByTimeAsync(70_000);
    expect(await asked).toMatchObject({
      code: 'RUN_FAILED',
      message: expect.stringMatching(
        /^the steward of iris does not get on: .* the log of its worker says why\. .* --workflow-id steward-iris/,
      ) as string,
    });
  });
});
