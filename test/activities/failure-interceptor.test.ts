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
    const failure = toFailure(new RetrainError(code, 'line 3: not a number'), false);
    expect(failure).toBeInstanceOf(ApplicationFailure);
    expect(failure).toMatchObject({ type: code, message: 'line 3: not a number', nonRetryable });
  });

  test('that is none of ours is a retryable fault of the stage, with its cause', () => {
    const cause = new TypeError('undefined is not a function');
    const failure = toFailure(cause, false);
    expect(failure).toBeInstanceOf(ApplicationFailure);
    expect(failure).toMatchObject({
      type: 'STAGE_FAILED',
      message: cause.message,
      nonRetryable: false,
      cause,
    });
  });

  test('that is no Error at all is one, by its text', () => {
    expect(toFailure('out of cheese', false)).toMatchObject({
      type: 'STAGE_FAILED',
      message: 'out of cheese',
    });
  });

  test.each([ApplicationFailure.nonRetryable('as it is', 'MINE'), new CancelledFailure('as it is')])(
    'that is a failure of Temporal’s stays what it is: %s',
    (failure) => {
      expect(toFailure(failure, false)).toBe(failure);
      expect(toFailure(failure, true)).toBe(failure);
    },
  );

  test('after a cancellation is the cancellation, whatever broke on the way out', () => {
    const broken = new RetrainError('DATA_INVALID', 'half a file');
    const failure = toFailure(broken, true);
    expect(failure).toBeInstanceOf(CancelledFailure);
    expect(failure).toMatchObject({ cause: broken });
  });
});
