import { ActivityFailure, ApplicationFailure, TimeoutFailure } from '@temporalio/common';
import { type CollectUnit } from '../../contracts/collect';
import { collectDay } from '../../workflows/collect-day';

/** What the activity is asked with, and what comes of it: the workflow's API as far as a day uses it. */
const asked: { options: Record<string, unknown> | null; unit: CollectUnit }[] = [];
let outcome: () => unknown;

jest.mock('@temporalio/workflow', () => {
  const real = jest.requireActual<object>('@temporalio/common');
  const fetchDay = Object.assign(
    (unit: CollectUnit) => {
      asked.push({ options: null, unit });
      return Promise.resolve(outcome());
    },
    {
      executeWithOptions: async (options: Record<string, unknown>, [unit]: [CollectUnit]) => {
        asked.push({ options, unit });
        await Promise.resolve();
        return outcome();
      },
    },
  );
  return {
    ...real,
    proxyActivities: () => ({ fetchDay }),
    setCurrentDetails: () => undefined,
  };
});

const unit: CollectUnit = {
  ...{ source: 'orders', day: '2026-03-09', params: 'params.yaml' },
  ...{ now: '2026-03-09T12:00:00Z', by: 'run' },
};
const day = { source: 'orders', day: '2026-03-09', outcome: 'new', file: null, etag: null, quarantined: 0 };

/** As the server ends an activity that nobody took, or that nobody ended. */
function timedOut(kind: 'SCHEDULE_TO_START' | 'START_TO_CLOSE'): ActivityFailure {
  const cause = new TimeoutFailure(`activity ${kind} timeout`, undefined, kind);
  return new ActivityFailure('Activity task timed out', 'fetchDay', '1', 'TIMEOUT', '', cause);
}

beforeEach(() => {
  asked.length = 0;
  outcome = () => day;
});

test('a day of a source with a queue goes there, and waits for a worker no longer than a quarter of an hour', async () => {
  await expect(collectDay({ ...unit, queue: 'retrain-docker' })).resolves.toEqual(day);
  expect(asked).toMatchObject([
    { options: { taskQueue: 'retrain-docker', scheduleToStartTimeout: '15 minutes' } },
  ]);
});

test('where nobody took it, the failure is NO_WORKER, with the queue and what to do', async () => {
  outcome = () => {
    throw timedOut('SCHEDULE_TO_START');
  };
  const failed: unknown = await collectDay({ ...unit, queue: 'retrain-docker' }).catch(
    (error: unknown) => error,
  );
  expect(failed).toBeInstanceOf(ApplicationFailure);
  expect(failed).toMatchObject({ type: 'NO_WORKER', nonRetryable: true });
  expect((failed as Error).message).toBe(
    'no worker took orders 2026-03-09 from the task queue retrain-docker in 15 minutes; start one with RETRAIN_TASK_QUEUE=retrain-docker, or correct queue of the source',
  );
});

test('any other end of it is told as it is', async () => {
  const failure = timedOut('START_TO_CLOSE');
  outcome = () => {
    throw failure;
  };
  await expect(collectDay({ ...unit, queue: 'retrain-docker' })).rejects.toBe(failure);
});

test.each([undefined, '', 'a queue', '../etc', 7, 'x'.repeat(101)])(
  'the queue %p is none: the project’s own workers do it',
  async (queue) => {
    await collectDay({ ...unit, queue } as CollectUnit);
    expect(asked).toMatchObject([{ options: null }]);
  },
);
