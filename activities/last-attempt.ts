import { Context } from '@temporalio/activity';
import { RetrainError, type ErrorCode } from '../contracts/errors';

/** Attempts of a read that fails for good if the next ones fail as well: 15 s, in which another machine may have its turn. */
const MOST_ATTEMPTS = 6;

/** Faults of other systems, which end by themselves and may last. */
const OUTAGES: readonly ErrorCode[] = ['MLFLOW_UNREACHABLE', 'MLFLOW_BUSY', 'TEMPORAL_UNREACHABLE'];

/**
 * Ends with words where what an activity reads stays lost or damaged: it is tried again without end for the sake of outages, and
 * a file that is gone comes back in none of them.
 *
 * @param what `the evaluation of version 3`
 * @throws RetrainError RUN_FAILED, which is final, from the sixth attempt on
 */
export async function endingWithWords<T>(what: string, read: () => Promise<T>): Promise<T> {
  try {
    return await read();
  } catch (error) {
    const isOutage = error instanceof RetrainError && OUTAGES.includes(error.code);
    const { cancellationSignal, info } = Context.current();
    if (isOutage || cancellationSignal.aborted || info.attempt < MOST_ATTEMPTS) throw error;
    if (error instanceof RetrainError && !error.retryable) throw error;
    const why = error instanceof Error ? error.message : String(error);
    throw new RetrainError(
      'RUN_FAILED',
      `${what} cannot be read, after ${info.attempt} attempts: ${why}; start its run again with --force`,
      { cause: error },
    );
  }
}
