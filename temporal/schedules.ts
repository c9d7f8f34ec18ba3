import {
  ScheduleAlreadyRunning,
  ScheduleNotFoundError,
  ScheduleOverlapPolicy,
  type ScheduleClient,
  type ScheduleHandle,
  type ScheduleSummary,
} from '@temporalio/client';
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { type BatchPredictionInput } from '../contracts/batch-prediction';
import { type CollectInput } from '../contracts/collect';
import { RetrainError } from '../contracts/errors';
import { WORKFLOW } from '../contracts/names';
import { plainLine } from '../contracts/plain-words';
import { type ProjectIdentity } from '../contracts/project-identity';
import { type TrainingInput } from '../contracts/run';
import { type MonitorInput } from '../contracts/watch';
import { PROJECT_MEMO } from './project-queue';

/** What a schedule starts; paths are relative to the worker's project. */
export type Scheduled =
  | { train: { params: string } }
  | { predict: ScheduledPrediction }
  | { watch: ScheduledWatch }
  | { collect: ScheduledCollection };

/** See `CollectInput`. */
export interface ScheduledCollection {
  params: string;
  /** Null: all. */
  source: string | null;
}

/** See `BatchPredictionInput`. */
export type ScheduledPrediction = Pick<BatchPredictionInput, 'data' | 'model' | 'out'>;

/** See `MonitorInput`. */
export type ScheduledWatch = Pick<MonitorInput, 'model' | 'data' | 'params'>;

export interface NewSchedule {
  name: string;
  /** Five fields, minute first; or `@daily` and its kin. */
  cron: string;
  /** IANA name. */
  timezone: string;
  what: Scheduled;
  taskQueue: string;
  /** Whose runs it starts. */
  project: ProjectIdentity;
}

export interface ScheduleView {
  name: string;
  /** Null for a schedule that was not made by `retrain schedule create`. */
  cron: string | null;
  timezone: string | null;
  /** Null for a schedule that does not train. */
  params: string | null;
  /** Null for a schedule that does not predict. */
  predict: ScheduledPrediction | null;
  /** Null for a schedule that does not watch. */
  watch: { model: string; data: string | null } | null;
  /** Null for a schedule that does not collect. */
  collect: ScheduledCollection | null;
  paused: boolean;
  note: string | null;
  /** ISO 8601; null: it has not run yet. */
  lastRunAt: string | null;
  lastWorkflowId: string | null;
  /** ISO 8601; null: never, or not while it is paused. */
  nextRunAt: string | null;
}

/** What we keep with a schedule: the server gives a cron expression back as calendars only. */
const Memo = z.object({
  cron: z.string(),
  timezone: z.string(),
  params: z.string().nullable(),
  predict: z.object({ data: z.string(), model: z.string(), out: z.string() }).nullable().default(null),
  watch: z.object({ model: z.string(), data: z.string().nullable() }).nullable().default(null),
  collect: z.object({ params: z.string(), source: z.string().nullable() }).nullable().default(null),
});

/** How long a triggered run may take to show in the schedule. */
const TRIGGER_SHOWS_WITHIN_MS = 5_000;

/**
 * Schedules that train, predict, watch or collect. What one starts has a timestamp in its workflow id; a training hands over to the canonical run, a
 * prediction finds its file, so that unchanged data are neither trained on nor scored again.
 *
 * @throws RetrainError NOT_FOUND for a name that is not there, TEMPORAL_REFUSED for one that is taken, USAGE for
 *   a cron expression or time zone that the server does not take
 */
export class Schedules {
  constructor(private readonly client: ScheduleClient) {}

  async create({ name, cron, timezone, what, taskQueue, project }: NewSchedule): Promise<void> {
    const predict = 'predict' in what ? what.predict : null;
    const params = 'train' in what ? what.train.params : null;
    const watch = 'watch' in what ? { model: what.watch.model, data: what.watch.data ?? null } : null;
    const collect = 'collect' in what ? what.collect : null;
    try {
      await this.client.create({
        scheduleId: name,
        spec: { cronExpressions: [cron], timezone },
        action: {
          type: 'startWorkflow',
          workflowId: `scheduled-${name}`,
          taskQueue,
          memo: { [PROJECT_MEMO]: project },
          ...startedBy(name, what, project),
        },
        policies: {
          // A second run beside a slow first one would train on, or score, the same data.
          overlap: ScheduleOverlapPolicy.SKIP,
          // A nightly training that fell into an outage is made up for once the server is back. The default of
          // a year would start one after another for every night of a long outage.
          catchupWindow: '1 day',
          // One bad night is told by a notice; the next may have better data.
          pauseOnFailure: false,
        },
        memo: { cron, timezone, params, predict, watch, collect } satisfies z.infer<typeof Memo>,
      });
    } catch (error) {
      if (error instanceof ScheduleAlreadyRunning) {
        throw new RetrainError(
          'TEMPORAL_REFUSED',
          `schedule ${name} is there already; choose another --name, or \`retrain schedule delete ${name}\` first`,
          { cause: error },
        );
      }
      // The SDK's word for an argument that the server finds invalid.
      if (!(error instanceof TypeError)) throw error;
      throw new RetrainError(
        'USAGE',
        `--cron '${cron}' in time zone ${timezone} is refused: ${error.message}; expected minute, hour, day of month, month, day of week, such as '0 3 * * *', and a zone such as Europe/Berlin`,
        { cause: error },
      );
    }
  }

  /** Schedules of ours, by name. A new one may take a second to appear. */
  async list(): Promise<ScheduleView[]> {
    const views: ScheduleView[] = [];
    for await (const summary of this.client.list()) {
      if (OURS.has(summary.action?.workflowType ?? '')) views.push(viewOf(summary));
    }
    return views.sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  /**
   * Starts a run now, whether or not one is going on: it would join that.
   *
   * @returns its workflow id, null if the server has not told it within a few seconds; and the task queue on which it is
   */
  async trigger(name: string): Promise<{ workflowId: string | null; taskQueue: string }> {
    return this.on(name, async (handle) => {
      const { action, info: known } = await handle.describe();
      const { taskQueue } = action;
      const before = known.numActionsTaken;
      await handle.trigger(ScheduleOverlapPolicy.ALLOW_ALL);
      const deadline = Date.now() + TRIGGER_SHOWS_WITHIN_MS;
      while (Date.now() < deadline) {
        const { info } = await handle.describe();
        if (info.numActionsTaken > before) {
          return { workflowId: info.recentActions.at(-1)?.action.workflow.workflowId ?? null, taskQueue };
        }
        await sleep(100);
      }
      return { workflowId: null, taskQueue };
    });
  }

  /** Lets it rest until `resume`; the note says why, in the Web UI too. */
  async pause(name: string, note: string): Promise<void> {
    await this.on(name, (handle) => handle.pause(note));
  }

  async resume(name: string, note: string): Promise<void> {
    await this.on(name, (handle) => handle.unpause(note));
  }

  /** Removes the schedule; runs that it has started go on. */
  async delete(name: string): Promise<void> {
    await this.on(name, (handle) => handle.delete());
  }

  private async on<T>(name: string, work: (handle: ScheduleHandle) => Promise<T>): Promise<T> {
    try {
      return await work(this.client.getHandle(name));
    } catch (error) {
      if (!(error instanceof ScheduleNotFoundError)) throw error;
      throw new RetrainError(
        'NOT_FOUND',
        `there is no schedule ${name}; list them with \`retrain schedule list\``,
        { cause: error },
      );
    }
  }
}

const OURS: ReadonlySet<string> = new Set([
  WORKFLOW.trainingPipeline,
  WORKFLOW.batchPrediction,
  WORKFLOW.monitorModel,
  WORKFLOW.collect,
]);

/** Which workflow, with what, and what the Web UI says of it. */
function startedBy(
  name: string,
  what: Scheduled,
  project: ProjectIdentity,
): { workflowType: string; args: unknown[]; staticSummary: string } {
  if ('train' in what) {
    return {
      workflowType: WORKFLOW.trainingPipeline,
      args: [{ params: what.train.params, project } satisfies TrainingInput],
      staticSummary: `schedule ${name}: ${what.train.params}`,
    };
  }
  if ('watch' in what) {
    const { model, data } = what.watch;
    return {
      workflowType: WORKFLOW.monitorModel,
      args: [{ ...what.watch, project } satisfies MonitorInput],
      staticSummary: plainLine(
        `schedule ${name}: watch ${model}${data === undefined ? '' : ` by ${data}`}`,
      ).slice(0, 180),
    };
  }
  if ('collect' in what) {
    const { params, source } = what.collect;
    return {
      workflowType: WORKFLOW.collect,
      args: [{ params, ...(source === null ? {} : { source }), project } satisfies CollectInput],
      staticSummary: `schedule ${name}: collect ${source ?? 'all sources'} of ${params}`.slice(0, 180),
    };
  }
  const { data, model, out } = what.predict;
  return {
    workflowType: WORKFLOW.batchPrediction,
    args: [{ data, model, out, project } satisfies BatchPredictionInput],
    staticSummary: plainLine(`schedule ${name}: ${model} on ${data}`).slice(0, 180),
  };
}

function viewOf({ scheduleId, state, info, memo }: ScheduleSummary): ScheduleView {
  const ours = Memo.safeParse(memo).data;
  const last = info.recentActions.at(-1);
  return {
    name: scheduleId,
    cron: ours?.cron ?? null,
    timezone: ours?.timezone ?? null,
    params: ours?.params ?? null,
    predict: ours?.predict ?? null,
    watch: ours?.watch ?? null,
    collect: ours?.collect ?? null,
    paused: state.paused,
    note: state.note || null,
    lastRunAt: last?.takenAt.toISOString() ?? null,
    lastWorkflowId: last?.action.workflow.workflowId ?? null,
    nextRunAt: state.paused ? null : (info.nextActionTimes[0]?.toISOString() ?? null),
  };
}
