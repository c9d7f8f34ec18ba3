import { createHash } from 'node:crypto';
import path from 'node:path';
import { Context } from '@temporalio/activity';
import {
  WorkflowFailedError,
  WorkflowIdConflictPolicy,
  WorkflowIdReusePolicy,
  type Client,
} from '@temporalio/client';
import { CancelledFailure } from '@temporalio/common';
import { type PipelineActivities } from '../contracts/activities';
import {
  type CollectActivities,
  CollectedDay,
  CollectInput,
  CollectUnit,
  type FailedDay,
  type SourceDays,
} from '../contracts/collect';
import { RetrainError } from '../contracts/errors';
import { collectWorkflowId, WORKFLOW } from '../contracts/names';
import { type ProjectIdentity } from '../contracts/project-identity';
import { type RunSpec, type TrainingResult } from '../contracts/run';
import { type SourceClient } from '../integrations/http-source/source-client';
import { collectDay } from '../pipeline/collect/collect-day';
import { type SourceContainers } from '../pipeline/collect/source-containers';
import { collectOf, planCollection } from '../pipeline/collect/collect-sources';
import { Untrained } from '../pipeline/collect/untrained';
import { loadParams } from '../pipeline/run/load-params';
import { fromFailedRun, fromTemporal } from '../temporal/errors';
import { PROJECT_MEMO } from '../temporal/project-queue';
import { startOrAttach } from '../temporal/start-run';
import { withHeartbeat } from './heartbeat';

export interface CollectActivityDeps {
  /** The project's folder, absolute. */
  project: string;
  identity: ProjectIdentity;
  sources: SourceClient;
  /** Runs sources that are containers, on behalf of the current activity. */
  containers: SourceContainers;
  client: Client;
  /** For messages. */
  address: string;
  taskQueue: string;
  findFinished: (spec: RunSpec) => Promise<TrainingResult | null>;
  resolveRun: PipelineActivities['resolveRun'];
  /** Epoch ms. */
  clock: () => number;
}

/** Days that one collection is about at most: each takes a place in its history. */
const MOST_DAYS = 1000;

/** Memo key: the run that started a collection of a day. */
const STARTER = 'starter';

/**
 * Data from sources. A day is fetched by one workflow at a time, and a worker that dies leaves it to be found and gone on with: see
 * `collectDay` of pipeline/.
 */
export function createCollectActivities(deps: CollectActivityDeps): CollectActivities {
  const { project, client, address, identity } = deps;
  const projectHash = createHash('sha256').update(identity.id).digest('hex');
  return {
    /** Reads only. */
    async planCollection({ given, startedAt }) {
      const { params: file = 'params.yaml', now = startedAt, ...asked } = checkedInput(given);
      requirePast(now, deps.clock());
      const params = await loadParams(project, file);
      const sources = await planCollection(project, params, file, asked, new Date(now));
      return {
        ...{ sources: bounded(sources), params: file, now, model: params.model },
        then: collectOf(params, file).then,
        notify: params.notify.on.includes('failure'),
      };
    },

    /**
     * Idempotent: the day's workflow has one id, and a second one finds its file. A cancellation goes on to it only if this follower started it: others may wait
     * for one that was there.
     */
    async followDay(unit) {
      const context = Context.current();
      const starter = context.info.workflowExecution?.runId ?? context.info.activityId;
      return withHeartbeat(async (signal) => {
        const handle = await client.workflow
          .start(WORKFLOW.collectDay, {
            taskQueue: deps.taskQueue,
            workflowId: collectWorkflowId(projectHash, unit.source, unit.day),
            args: [unit],
            workflowIdConflictPolicy: WorkflowIdConflictPolicy.USE_EXISTING,
            workflowIdReusePolicy: WorkflowIdReusePolicy.ALLOW_DUPLICATE,
            memo: { [STARTER]: starter, [PROJECT_MEMO]: identity },
            staticSummary: `${unit.source} ${unit.day}`,
          })
          .catch((error: unknown) => {
            throw fromTemporal(error, address);
          });
        const run = client.workflow.getHandle(handle.workflowId, handle.firstExecutionRunId);
        const cancelled = new Promise<never>((_, reject) => {
          signal.addEventListener('abort', () => reject(new CancelledFailure('the follower was cancelled')), {
            once: true,
          });
        });
        try {
          return { day: CollectedDay.parse(await Promise.race([run.result(), cancelled])) };
        } catch (error) {
          if (context.cancellationDetails?.cancelRequested === true) {
            const { memo } = await run.describe();
            if (memo?.[STARTER] === starter) await run.cancel();
          }
          if (error instanceof WorkflowFailedError) return { failed: failedDay(unit, error) };
          throw fromTemporal(error, address);
        }
      });
    },

    /** Idempotent: see `collectDay`. */
    async fetchDay(given) {
      const unit = checkedUnit(given);
      requirePast(unit.now, deps.clock());
      requirePast(`${unit.day}T00:00:00Z`, deps.clock());
      return withHeartbeat(async (signal, onProgress) => {
        const params = await loadParams(project, unit.params);
        const collect = collectOf(params, unit.params);
        const source = Object.hasOwn(collect.sources, unit.source) ? collect.sources[unit.source] : undefined;
        if (source === undefined) {
          throw new RetrainError(
            'CONFIG_INVALID',
            `there is no source ${unit.source} in ${unit.params}; it was there when the collection was started`,
          );
        }
        return collectDay(
          { project, client: deps.sources, containers: deps.containers },
          {
            ...{
              name: unit.source,
              source,
              collect,
              day: unit.day,
              now: new Date(unit.now),
              by: unit.by,
              signal,
            },
            onProgress: (rows) => onProgress({ phase: 'rows', done: rows }),
            onPhase: onProgress,
          },
        );
      });
    },

    /** Idempotent: the training is its pipeline key's, and the marks of what is untrained go once it has started. */
    async startCollected({ params: file, project: owner }) {
      const { workflowExecution } = Context.current().info;
      const { records } = collectOf(await loadParams(project, file), file);
      const untrained = new Untrained(path.join(project, records));
      const marks = await untrained.marks();
      if (marks.length === 0) return null;
      const spec = await deps.resolveRun({
        params: file,
        ...(owner === undefined ? {} : { project: owner }),
      });
      const { client: temporal, taskQueue, findFinished } = deps;
      const started = await startOrAttach(spec, {
        ...{ client: temporal, taskQueue, findFinished },
        starterId: workflowExecution?.runId ?? spec.pipelineKey,
      }).catch((error: unknown) => {
        throw fromTemporal(error, address);
      });
      await untrained.clear(marks);
      const workflowId = 'workflowId' in started ? { workflowId: started.workflowId } : {};
      return { how: started.how, pipelineKey: spec.pipelineKey, ...workflowId };
    },
  };
}

function bounded(sources: readonly SourceDays[]): SourceDays[] {
  let room = MOST_DAYS;
  return sources.map(({ days, left, ...rest }) => {
    const kept = days.slice(0, room);
    room -= kept.length;
    return { ...rest, days: kept, left: left + days.length - kept.length };
  });
}

function failedDay({ source, day }: CollectUnit, error: WorkflowFailedError): FailedDay {
  const reason = fromFailedRun(error);
  const known = reason instanceof RetrainError ? reason : null;
  return { source, day, code: known?.code ?? 'RUN_FAILED', message: known?.message ?? String(reason) };
}

/** @throws RetrainError CONFIG_INVALID, with the first mistake; anybody may have typed it into the Web UI */
function checkedInput(given: unknown): CollectInput {
  const parsed = CollectInput.safeParse(given ?? {});
  if (parsed.success) return parsed.data;
  throw mistake(parsed.error.issues[0], '{} or {"source": "cards", "day": "2026-03-09"}');
}

/** Another clock than ours may be a little ahead, and a time zone by 14 hours. */
const AHEAD_MS = 15 * 3_600_000;

/** A day that is yet to come would be recorded as one that the source has nothing of. @throws RetrainError CONFIG_INVALID */
function requirePast(time: string, nowMs: number): void {
  if (Date.parse(time) <= nowMs + AHEAD_MS) return;
  throw new RetrainError(
    'CONFIG_INVALID',
    `the input: ${time} is yet to come; expected a day up to the present one`,
  );
}

/** @throws RetrainError CONFIG_INVALID */
function checkedUnit(given: unknown): CollectUnit {
  const parsed = CollectUnit.safeParse(given);
  if (parsed.success) return parsed.data;
  throw mistake(parsed.error.issues[0], 'what the workflow collect makes; start that one instead');
}

function mistake(
  issue: { path: PropertyKey[]; message: string } | undefined,
  expected: string,
): RetrainError {
  const where = ['the input', ...(issue?.path ?? []).map(String)].join('.').slice(0, 100);
  return new RetrainError(
    'CONFIG_INVALID',
    `${where}: ${issue?.message.slice(0, 200) ?? 'is no mapping'}; expected ${expected}`,
  );
}
