import {
  ActivityFailure,
  ApplicationFailure,
  proxyActivities,
  setCurrentDetails,
  TimeoutFailure,
} from '@temporalio/workflow';
import { type CollectActivities, type CollectedDay, type CollectUnit } from '../contracts/collect';
import { collecting } from './activity-options';
import { dayLine } from './collect-board';

const summary = 'fetch, check, put the file in its place';

const { fetchDay } = proxyActivities<CollectActivities>({ ...collecting, summary });

/** Longer than a worker takes to start, or to have a thread free. The day is due again the next time. */
const TAKEN_WITHIN = '15 minutes';

/** One day of one source: the one that writes its file, whoever asked for it. */
export async function collectDay(unit: CollectUnit): Promise<CollectedDay> {
  const day = await fetched(unit);
  setCurrentDetails(dayLine(day));
  return day;
}

async function fetched(unit: CollectUnit): Promise<CollectedDay> {
  const queue = queueOf(unit);
  if (queue === undefined) return fetchDay(unit);
  setCurrentDetails(`waits for a worker of the task queue ${queue}`);
  const there = { ...collecting, summary, taskQueue: queue, scheduleToStartTimeout: TAKEN_WITHIN };
  try {
    return await fetchDay.executeWithOptions(there, [unit]);
  } catch (error) {
    if (!isUntaken(error)) throw error;
    throw ApplicationFailure.nonRetryable(
      `no worker took ${unit.source} ${unit.day} from the task queue ${queue} in ${TAKEN_WITHIN}; start one with RETRAIN_TASK_QUEUE=${queue}, or correct queue of the source`,
      'NO_WORKER',
    );
  }
}

/** Anybody may have typed the unit into the Web UI; what is no queue, the activity refuses. */
function queueOf(unit: unknown): string | undefined {
  const queue = typeof unit === 'object' && unit !== null ? (unit as CollectUnit).queue : undefined;
  return typeof queue === 'string' && /^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/.test(queue) ? queue : undefined;
}

const isUntaken = (error: unknown): boolean =>
  error instanceof ActivityFailure &&
  error.cause instanceof TimeoutFailure &&
  error.cause.timeoutType === 'SCHEDULE_TO_START';
