import { type Client } from '@temporalio/client';
import { UPDATE } from '../../contracts/names';
import { askSteward } from '../../temporal/ask-steward';

/** What `setMaxListeners` has set; Node 20's `getMaxListeners` takes no signals of Jest's realm. */
function limitOf(signal: AbortSignal): unknown {
  const key = Object.getOwnPropertySymbols(signal).find(
    ({ description }) => description === 'events.maxEventTargetListeners',
  );
  return key === undefined ? undefined : Reflect.get(signal, key);
}

/** Notes how many may listen to the signals that Temporal's client gets: it adds a listener with every request, and takes none away. */
function notingClient(limits: unknown[]): Client {
  return {
    withAbortSignal: (signal: AbortSignal, work: () => Promise<unknown>) => {
      limits.push(limitOf(signal));
      return work();
    },
    workflow: { executeUpdateWithStart: () => Promise.resolve('answer') },
  } as unknown as Client;
}

test('an ask may take any number of requests, and many may wait on one activity’s signal: Node sees no leak', async () => {
  const limits: unknown[] = [];
  const { signal } = new AbortController();
  const ask = { client: notingClient(limits), taskQueue: 'q', model: 'm', update: UPDATE.promote, args: {} };
  expect(await askSteward({ ...ask, signal })).toBe('answer');
  expect(await askSteward(ask)).toBe('answer');
  // 0: no limit.
  expect(limits).toEqual([0, 0]);
  expect(limitOf(signal)).toBe(0);
});
