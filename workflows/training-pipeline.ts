import {
  defineQuery,
  isCancellation,
  log,
  proxyActivities,
  setHandler,
  workflowInfo,
} from '@temporalio/workflow';
import { type PipelineActivities } from '../contracts/activities';
import { QUERY, canonicalWorkflowId } from '../contracts/names';
import { type PipelineProgress, type PipelineState } from '../contracts/progress';
import { type RunSpec, type TrainingInput, type TrainingResult } from '../contracts/run';
import { following, resolving } from './activity-options';
import { failureReason } from './failure-reason';
import { handToNotifier, unreadableNotice } from './notices';
import { ProgressBoard } from './progress-board';
import { checkedInput } from './training-input';
import { TrainingRun } from './training-run';

const stateQuery = defineQuery<PipelineState>(QUERY.state);
const progressQuery = defineQuery<PipelineProgress>(QUERY.progress);

const { resolveRun } = proxyActivities<PipelineActivities>({
  ...resolving,
  summary: 'read params.yaml, hash the data',
});
const { followCanonicalRun } = proxyActivities<PipelineActivities>({
  ...following,
  summary: 'follow the one training of this data, params and code',
});

/**
 * preprocess → train → evaluate → register → promote, for one (data, params, code).
 *
 * Under any id but the canonical one of its pipeline key it only follows the canonical run and returns
 * its result.
 */
export async function trainingPipeline(given: TrainingInput = {}): Promise<TrainingResult> {
  const input = checkedInput(given);
  const board = new ProgressBoard();
  setHandler(stateQuery, () => board.view.state, { description: 'Where the run stands, in one word.' });
  setHandler(progressQuery, () => board.view, { description: 'Each stage: its state, times and a note.' });

  const spec = input.spec ?? (await settle(input, board));
  board.about(spec);
  const canonicalId = canonicalWorkflowId(spec.params.model, spec.pipelineKey);
  if (workflowInfo().workflowId !== canonicalId) {
    board.handedOver(canonicalId);
    log.info('run follows another', { canonicalId, pipelineKey: spec.pipelineKey });
    const result = await followCanonicalRun({ spec, canonicalId });
    board.end(result.outcome, `Version ${result.modelVersion}: ${result.reason}.`);
    return result;
  }
  return new TrainingRun(spec, board).execute();
}

async function settle(
  { params, overrides, force, project }: TrainingInput,
  board: ProgressBoard,
): Promise<RunSpec> {
  try {
    return await resolveRun({
      ...(params === undefined ? {} : { params }),
      ...(overrides === undefined ? {} : { overrides }),
      ...(project === undefined ? {} : { project }),
      ...(force === true ? { forceId: workflowInfo().runId } : {}),
    });
  } catch (error) {
    if (isCancellation(error)) throw error;
    const reason = failureReason(error);
    board.end('failed', reason);
    log.error('run not started', { reason });
    await handToNotifier(unreadableNotice(params ?? 'params.yaml', reason));
    throw error;
  }
}
