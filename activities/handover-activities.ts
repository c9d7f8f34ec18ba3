import { Context } from '@temporalio/activity';
import { WorkflowFailedError, type Client } from '@temporalio/client';
import { ApplicationFailure, CancelledFailure } from '@temporalio/common';
import { type PipelineActivities } from '../contracts/activities';
import { RetrainError } from '../contracts/errors';
import { type RunSpec, type TrainingResult } from '../contracts/run';
import { fromFailedRun, fromTemporal } from '../temporal/errors';
import { awaitResult, startOrAttach } from '../temporal/start-run';
import { withHeartbeat } from './heartbeat';

export interface HandoverDeps {
  client: Client;
  /** For messages. */
  address: string;
  taskQueue: string;
  findFinished(spec: RunSpec): Promise<TrainingResult | null>;
}

/**
 * Follows the canonical run for a workflow under another id. Idempotent: starting again joins what was
 * started; the starter's id is the following workflow's run id in every attempt.
 *
 * A cancellation goes on to the canonical run only if this follower started it: others may wait for one
 * that was there before. A worker that stops, or an attempt whose heartbeats were missed, is no cancellation: the next
 * attempt follows the run that goes on.
 */
export function createHandoverActivities(deps: HandoverDeps): Pick<PipelineActivities, 'followCanonicalRun'> {
  const { client, address } = deps;
  return {
    async followCanonicalRun({ spec }) {
      const context = Context.current();
      const starterId = context.info.workflowExecution?.runId ?? context.info.activityId;
      const wasCancelled = (): boolean => context.cancellationDetails?.cancelRequested === true;
      return withHeartbeat(async (signal) => {
        try {
          const started = await startOrAttach(spec, { ...deps, starterId });
          if (started.how === 'finished') return started.result;
          const cancelled = new Promise<never>((_, reject) => {
            signal.addEventListener(
              'abort',
              () => reject(new CancelledFailure('the follower was cancelled')),
              { once: true },
            );
          });
          try {
            return await Promise.race([
              awaitResult(client, started.workflowId, started.workflowRunId),
              cancelled,
            ]);
          } catch (error) {
            if (wasCancelled() && started.how === 'started') {
              await client.workflow.getHandle(started.workflowId, started.workflowRunId).cancel();
            }
            throw error;
          }
        } catch (error) {
          throw ended(error) ?? fromTemporal(error, address);
        }
      });
    },
  };
}

/**
 * The end of the canonical run, as this follower's own. Not to be tried again: that would start the failed
 * training anew, for as long as it fails.
 */
function ended(error: unknown): ApplicationFailure | null {
  if (!(error instanceof WorkflowFailedError)) return null;
  const reason = fromFailedRun(error);
  return ApplicationFailure.nonRetryable(
    reason instanceof Error ? reason.message : String(reason),
    reason instanceof RetrainError ? reason.code : 'RUN_FAILED',
  );
}
