import { ApplicationFailure, isCancellation, log, proxyActivities, workflowInfo } from '@temporalio/workflow';
import {
  type CollectActivities,
  type CollectedDay,
  type CollectInput,
  type CollectionPlan,
  type CollectReport,
  type FailedDay,
  type SourceDays,
} from '../contracts/collect';
import { isGivenUp } from '../contracts/collect-faults';
import { type ProjectIdentity } from '../contracts/project-identity';
import { following, resolving, tracking } from './activity-options';
import { CollectBoard } from './collect-board';
import { failureReason } from './failure-reason';
import { collectNotice, handToNotifier } from './notices';

const { planCollection } = proxyActivities<CollectActivities>({
  ...resolving,
  summary: 'read params.yaml, see which days are due',
});
const { followDay } = proxyActivities<CollectActivities>(following);
const { startCollected } = proxyActivities<CollectActivities>({
  ...tracking,
  startToCloseTimeout: '30 minutes',
  summary: 'start the training of what is new',
});

/**
 * Collects the days that are due, of all sources side by side; of each, one day after the other, the oldest first. Each day is a workflow of its own under a
 * canonical id, so that of any number of collections at once one asks the source, and all get what came of it.
 *
 * Fails when a day failed, after everything else was collected; a training then waits for the collection that makes up for it.
 */
export async function collect(given: CollectInput = {}): Promise<CollectReport> {
  const plan = await settled(given);
  const owner = ownerOf(given);
  const board = new CollectBoard(plan.sources.reduce((sum, { days }) => sum + days.length, 0));
  const report: CollectReport = { days: [], failed: [], left: 0, training: null };
  const collected = await Promise.all(
    plan.sources.map((source) => collectSource(source, plan, owner, board)),
  );
  for (const [at, { days, failed }] of collected.entries()) {
    report.days.push(...days);
    report.failed.push(...failed);
    report.left += plan.sources[at]?.left ?? 0;
  }
  if (report.failed.length > 0) throw await failure(report, plan);
  if (plan.then === 'train') report.training = await startCollected({ params: plan.params, ...owner });
  board.end(report.training, report.left);
  return report;
}

interface Owner {
  project?: ProjectIdentity;
}

/** Anybody may have typed the input into the Web UI; the activity looks through it. */
const ownerOf = (given: unknown): Owner => {
  const project = typeof given === 'object' && given !== null ? (given as CollectInput).project : undefined;
  return project === undefined ? {} : { project };
};

async function settled(given: unknown): Promise<CollectionPlan> {
  try {
    return await planCollection({
      given,
      startedAt: workflowInfo().startTime.toISOString(),
      ...ownerOf(given),
    });
  } catch (error) {
    if (isCancellation(error)) throw error;
    const reason = failureReason(error);
    log.error('collection not started', { reason });
    await handToNotifier(collectNotice('unknown', reason));
    throw error;
  }
}

async function collectSource(
  { source, days, inOrder, queue }: SourceDays,
  { params, now }: CollectionPlan,
  owner: Owner,
  board: CollectBoard,
): Promise<{ days: CollectedDay[]; failed: FailedDay[] }> {
  const found = { days: [] as CollectedDay[], failed: [] as FailedDay[] };
  for (const day of days) {
    const { failed } = found;
    if (isGivenUp(inOrder, failed)) break;
    const place = queue === undefined ? {} : { queue };
    const unit = { source, day, ...place, params, now, by: workflowInfo().runId, ...owner };
    const ended = await followDay.executeWithOptions({ ...following, summary: `${source} ${day}` }, [unit]);
    if ('day' in ended) {
      found.days.push(ended.day);
      board.day(ended.day);
    } else {
      failed.push(ended.failed);
      board.failed(ended.failed);
    }
  }
  return found;
}

async function failure(
  { days, failed, left }: CollectReport,
  { model, notify }: CollectionPlan,
): Promise<ApplicationFailure> {
  const [first] = failed;
  const more = failed.length === 1 ? '' : `, and ${failed.length - 1} more days failed`;
  const reason = `${first?.source ?? ''} ${first?.day ?? ''}: ${first?.message ?? ''}${more}; ${days.length} days were collected`;
  log.error('collection failed', { reason, failed: failed.length, collected: days.length, left });
  if (notify) await handToNotifier(collectNotice(model, reason));
  return ApplicationFailure.nonRetryable(reason, first?.code ?? 'SOURCE_INVALID');
}
