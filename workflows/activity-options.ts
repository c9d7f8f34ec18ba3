import { ActivityCancellationType, type ActivityOptions, type RetryPolicy } from '@temporalio/workflow';
import { milliseconds } from '../contracts/duration';

/**
 * Work on MLflow and the project's files. Its faults are outages, which end by themselves: keep trying
 * for half an hour, soon at first (a restarting server is back within seconds), never slower than
 * every 10 s, so that a run goes on as soon as the server does. The attempts' own limit of 2 minutes
 * covers a slow upload; the heartbeat limit notices a dead worker in 10 s.
 */
export const tracking: ActivityOptions = {
  scheduleToCloseTimeout: '30 minutes',
  startToCloseTimeout: '2 minutes',
  heartbeatTimeout: '10 seconds',
  retry: { initialInterval: '500 milliseconds', backoffCoefficient: 2, maximumInterval: '10 seconds' },
};

/**
 * What a steward has begun it must end, however long MLflow is away: only a refusal is final. Ten minutes are for fetching the
 * files of a large model; the heartbeat limit notices a dead worker in 10 s.
 */
export const settling: ActivityOptions = {
  startToCloseTimeout: '10 minutes',
  heartbeatTimeout: '10 seconds',
  retry: { initialInterval: '500 milliseconds', backoffCoefficient: 2, maximumInterval: '10 seconds' },
};

/**
 * Looking at a log or a table, which reads all of it; the heartbeat limit of 10 s tells a dead worker from a slow one. Three attempts
 * after outages: the next check is soon. On cancellation we wait until the reading has ended.
 */
export const checking: ActivityOptions = {
  startToCloseTimeout: '2 hours',
  heartbeatTimeout: '10 seconds',
  cancellationType: ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
  retry: {
    maximumAttempts: 5,
    initialInterval: '2 seconds',
    backoffCoefficient: 3,
    maximumInterval: '5 minutes',
  },
};

/** Hashing the data of a large project takes minutes; a training that cannot be started holds up no alarm for longer than this. */
export const startingOnAlarm: ActivityOptions = {
  scheduleToCloseTimeout: '30 minutes',
  startToCloseTimeout: '30 minutes',
  heartbeatTimeout: '10 seconds',
  retry: {
    initialInterval: '1 second',
    backoffCoefficient: 2,
    maximumInterval: '30 seconds',
    maximumAttempts: 5,
  },
};

/** A look at the alias every 20 s, each a failed attempt that leaves no trace: within a minute a move is noticed, also after a lost one. */
export const watching: ActivityOptions = {
  startToCloseTimeout: '15 seconds',
  retry: { initialInterval: '20 seconds', backoffCoefficient: 1 },
};

/** Waiting for a steward's decision, which may wait for others and for MLflow; a week is longer than any outage. */
export const asking: ActivityOptions = {
  scheduleToCloseTimeout: '7 days',
  startToCloseTimeout: '7 days',
  heartbeatTimeout: '10 seconds',
  retry: { initialInterval: '500 milliseconds', backoffCoefficient: 2, maximumInterval: '10 seconds' },
};

/** Uploading a model may take long on a slow line; the heartbeat limit still notices a dead worker in 10 s. */
export const uploading: ActivityOptions = {
  ...tracking,
  scheduleToCloseTimeout: '2 hours',
  startToCloseTimeout: '1 hour',
  // Trying again brings no file back: its stage makes it again.
  retry: { ...tracking.retry, nonRetryableErrorTypes: ['ARTIFACT_MISSING', 'ARTIFACT_DAMAGED'] },
};

/** Hashing the data of a large project takes minutes; bad data and bad config are not tried again. */
export const resolving: ActivityOptions = { ...tracking, startToCloseTimeout: '30 minutes' };

/**
 * Waiting for another workflow run, which may take as long as a training. The activity heartbeats; a
 * worker that dies while waiting costs nothing but the heartbeat limit.
 */
export const following: ActivityOptions = {
  startToCloseTimeout: '7 days',
  heartbeatTimeout: '10 seconds',
  cancellationType: ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
  retry: { initialInterval: '1 second', backoffCoefficient: 2, maximumInterval: '10 seconds' },
};

/**
 * Compute stages, retried as params.yaml says. A stage may train for a day; the heartbeat limit of 10 s
 * (the work is in a thread of its own, so heartbeats go on) tells a dead worker from a slow one. On
 * cancellation we wait until the thread is gone: no training outlives its run.
 */
export function computing(retry: {
  maximum_attempts: number;
  initial_interval: string;
  backoff: number;
}): ActivityOptions {
  const policy: RetryPolicy = {
    maximumAttempts: retry.maximum_attempts,
    initialInterval: milliseconds(retry.initial_interval),
    backoffCoefficient: retry.backoff,
    // The wait stops growing here: longer than most outages, short enough to notice the end of one.
    maximumInterval: Math.max(milliseconds(retry.initial_interval), 300_000),
  };
  return {
    startToCloseTimeout: '24 hours',
    heartbeatTimeout: '10 seconds',
    cancellationType: ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
    retry: policy,
  };
}

/** One notice to one channel: tried for six hours, up to every 5 minutes, then given up and logged. */
export const notifying: ActivityOptions = {
  scheduleToCloseTimeout: '6 hours',
  startToCloseTimeout: '30 seconds',
  retry: { initialInterval: '2 seconds', backoffCoefficient: 2, maximumInterval: '5 minutes' },
};

/**
 * Scoring a table, which may take as long as a day; the heartbeat limit of 10 s tells a dead worker from a slow one. Three attempts: what
 * fails three times, as for a full disk, is somebody's to mend, and the next night tries again. On cancellation we wait until nothing
 * is being written.
 */
export const predicting: ActivityOptions = {
  startToCloseTimeout: '24 hours',
  heartbeatTimeout: '10 seconds',
  cancellationType: ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
  retry: {
    maximumAttempts: 3,
    initialInterval: '5 seconds',
    backoffCoefficient: 4,
    maximumInterval: '5 minutes',
  },
};

/**
 * Fetching a day of a source. The client itself rides out a minute of trouble; five attempts, over some seven minutes, ride out a restart. What fails
 * then is due again the next time, so more would only keep the other days waiting. The heartbeat limit tells a dead worker from a slow source; on cancellation we
 * wait until nothing is being written.
 */
export const collecting: ActivityOptions = {
  startToCloseTimeout: '2 hours',
  heartbeatTimeout: '20 seconds',
  cancellationType: ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
  retry: {
    maximumAttempts: 5,
    initialInterval: '10 seconds',
    backoffCoefficient: 3,
    maximumInterval: '5 minutes',
  },
};
