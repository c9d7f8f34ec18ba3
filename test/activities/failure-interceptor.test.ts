import { ApplicationFailure, CancelledFailure } from '@temporalio/common';
import { toFailure } from '../../activities/failure-interceptor';
import { RetrainError } from '../../contracts/errors';

describe('an error of an activity, as Temporal gets it', () => {
  test.each([
    ['DATA_INVALID', true],
    ['CONFIG_INVALID', true],
    ['MLFLOW_UNREACHABLE', false],
    ['STAGE_FAILED', false],
  ] as const)('keeps the code %s as its type; non-retryable: %s', (code, nonRetryable) => {
    const failure = toFailure(new RetrainError(code, 'line 3: not a number'), null);
    expect(failure).toBeInstanceOf(ApplicationFailure);
    expect(failure).toMatchObject({ type: code, message: 'line 3: not a number', nonRetryable });
  });

  test('that is none of ours is a retryable fault of the stage, without its trace, which is in the worker’s log', () => {
    const cause = new TypeError('undefined is not a function');
    const failure = toFailure(cause, null);
    expect(failure).toBeInstanceOf(ApplicationFailure);
    expect(failure).toMatchObject({
      type: 'STAGE_FAILED',
      message: cause.message,
      nonRetryable: false,
      stack: '',
    });
  });

  test('that is no Error at all is one, by its text', () => {
    expect(toFailure('out of cheese', null)).toMatchObject({
      type: 'STAGE_FAILED',
      message: 'out of cheese',
    });
  });

  test.each([ApplicationFailure.nonRetryable('as it is', 'MINE'), new CancelledFailure('as it is')])(
    'that is a failure of Temporal’s stays what it is: %s',
    (failure) => {
      expect(toFailure(failure, null)).toBe(failure);
      expect(toFailure(failure, 'cancelled')).toBe(failure);
    },
  );

  test('after a cancellation is the cancellation, whatever broke on the way out', () => {
    const broken = new RetrainError('DATA_INVALID', 'half a file');
    const failure = toFailure(broken, 'cancelled');
    expect(failure).toBeInstanceOf(CancelledFailure);
    expect(failure).toMatchObject({ cause: broken });
  });

  test.each([new RetrainError('DATA_INVALID', 'half a file'), new CancelledFailure('the follower ended')])(
    'after its worker was told to stop is no cancellation, and is tried again: %s',
    (broken) => {
      const failure = toFailure(broken, 'interrupted');
      expect(failure).toBeInstanceOf(ApplicationFailure);
      expect(failure).toMatchObject({ type: 'WORKER_STOPPED', nonRetryable: false });
    },
  );
});
