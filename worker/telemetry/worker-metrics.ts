import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client';
import { STAGES, WORKFLOW } from '../../contracts/names';
import { COMPUTE_STAGES } from '../../pipeline/stage';
import { RUN_OUTCOMES, type WorkflowEnd } from '../../contracts/observed';
import { BoundedLabel } from './bounds';
import { WatchFigures } from './watch-figures';

/** Models that get series of their own. */
const MOST_MODELS = 200;

/** Names of task queues and of channels come from params.yaml and the environment. */
const MOST_NAMES = 50;

/** Stages take from a tenth of a second (a table of 150 rows) to a day, in seconds. */
const STAGE_BUCKETS = [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 900, 3600, 14_400, 43_200, 86_400];

/** A task waits for a poll, or for a worker that has room, in seconds. */
const QUEUE_BUCKETS = [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 900, 3600];

/** Activities that do the work of stages which do not compute and have other names. */
const ACTIVITY_OF: Readonly<Record<string, string>> = { promote: 'askSteward' };

/** How an attempt of an activity ended. interrupted: its worker stopped; nothing_new: a look that found nothing, to be repeated. */
export type AttemptOutcome = 'done' | 'reused' | 'failed' | 'cancelled' | 'interrupted' | 'nothing_new';

/** What a stage was asked to do, and what came of it. */
export interface StageSeen {
  stage: string;
  executor: 'in-process' | 'container';
  outcome: AttemptOutcome;
  seconds: number;
}

/**
 * What a worker counts of the pipeline. Counters begin at 0 with the process: rules and dashboards take rates and increases over all
 * workers. No label is an id: those are in the log, which has one line for each event that is counted here.
 */
export class WorkerMetrics {
  readonly registry = new Registry();
  private readonly models = new BoundedLabel(MOST_MODELS);
  private readonly queues = new BoundedLabel(MOST_NAMES);
  private readonly channels = new BoundedLabel(MOST_NAMES);
  private readonly activities = new BoundedLabel(MOST_NAMES);
  private readonly workflows = new BoundedLabel(MOST_NAMES);
  private readonly registers = [this.registry];
  private readonly zeroed = new Set<string>();

  private readonly runs = new Counter({
    name: 'retrain_runs_total',
    help: 'Trainings that ended, by model and outcome (known: this key was trained before; followed: another workflow of the same key did the work).',
    labelNames: ['model', 'outcome'],
    registers: this.registers,
  });
  private readonly runSeconds = new Histogram({
    name: 'retrain_run_seconds',
    help: 'Wall time of trainings from start to end, by outcome.',
    labelNames: ['outcome'],
    buckets: [1, 2.5, 5, 10, 30, 60, 300, 900, 3600, 14_400, 43_200, 86_400, 604_800],
    registers: this.registers,
  });
  private readonly ended = new Counter({
    name: 'retrain_workflows_total',
    help: 'Workflows of any type that ended, by type and outcome; a training that ended in any outcome but failed or cancelled is completed.',
    labelNames: ['workflow', 'outcome'],
    registers: this.registers,
  });
  private readonly stageSeconds = new Histogram({
    name: 'retrain_stage_seconds',
    help: 'Wall time of one attempt of a stage, by where it ran and outcome (reused: its result was known, nothing ran).',
    labelNames: ['stage', 'executor', 'outcome'],
    buckets: STAGE_BUCKETS,
    registers: this.registers,
  });
  private readonly cache = new Counter({
    name: 'retrain_stage_cache_lookups_total',
    help: 'Looks for a known result of a stage: hit, miss, or skipped because the run was started with --force.',
    labelNames: ['stage', 'result'],
    registers: this.registers,
  });
  private readonly bytesRead = new Counter({
    name: 'retrain_stage_input_bytes_total',
    help: 'Bytes of the artifacts that stages that ran were given from the content store.',
    labelNames: ['stage'],
    registers: this.registers,
  });
  private readonly bytesStored = new Counter({
    name: 'retrain_stage_output_bytes_total',
    help: 'Bytes of the artifacts that stages that ran left in the content store.',
    labelNames: ['stage'],
    registers: this.registers,
  });
  private readonly queueSeconds = new Histogram({
    name: 'retrain_activity_queue_seconds',
    help: 'From when an attempt of an activity was due until a worker took it up (schedule to start).',
    labelNames: ['task_queue', 'activity'],
    buckets: QUEUE_BUCKETS,
    registers: this.registers,
  });
  private readonly attempts = new Counter({
    name: 'retrain_activity_attempts_total',
    help: 'Attempts of activities that ended on this worker, by outcome (nothing_new: a look that is repeated; interrupted: this worker stopped).',
    labelNames: ['activity', 'outcome'],
    registers: this.registers,
  });
  private readonly again = new Counter({
    name: 'retrain_activity_retries_total',
    help: 'Attempts that followed another, by why that one did not do: an error code, or heartbeat, start_to_close: the worker was not heard of in time.',
    labelNames: ['activity', 'reason'],
    registers: this.registers,
  });
  private readonly notices = new Counter({
    name: 'retrain_notice_attempts_total',
    help: 'Attempts to deliver a notice, by channel and outcome; what failed is tried again for six hours.',
    labelNames: ['channel', 'outcome'],
    registers: this.registers,
  });
  private readonly givenUp = new Counter({
    name: 'retrain_notices_given_up_total',
    help: 'Notices that reached nobody by a channel in six hours.',
    labelNames: ['channel'],
    registers: this.registers,
  });

  private readonly info = new Gauge({
    name: 'retrain_worker_info',
    help: '1 for this worker: its version, and the task queue that it polls.',
    labelNames: ['version', 'task_queue'],
    registers: this.registers,
  });

  /** What checks of models found. */
  readonly figures = new WatchFigures(this.registry);

  constructor() {
    collectDefaultMetrics({ register: this.registry });
    this.atZero();
  }

  /** A series whose first value is 1 has never increased, for whoever computes increases: those that matter begin at 0. */
  private atZero(): void {
    for (const workflow of Object.values(WORKFLOW))
      for (const outcome of ['completed', 'failed', 'cancelled'])
        this.ended.inc({ workflow: this.workflows.of(workflow), outcome }, 0);
    for (const stage of STAGES) {
      for (const outcome of ['done', 'reused', 'failed'])
        this.stageSeconds.zero({ stage, executor: 'in-process', outcome });
      const activity = this.activities.of(ACTIVITY_OF[stage] ?? stage);
      for (const reason of ['heartbeat', 'start_to_close']) this.again.inc({ activity, reason }, 0);
    }
    for (const stage of COMPUTE_STAGES) {
      for (const result of ['hit', 'miss']) this.cache.inc({ stage, result }, 0);
      this.stageMoved(stage, 0, 0);
    }
    this.modelSeen('');
  }

  /** From when a model is first heard of, its runs are counted from 0. */
  modelSeen(model: string): void {
    const label = this.models.of(model);
    if (this.zeroed.has(label)) return;
    this.zeroed.add(label);
    for (const outcome of RUN_OUTCOMES) this.runs.inc({ model: label, outcome }, 0);
  }

  /** As above, of the channels that are configured. */
  channelsKnown(names: readonly string[]): void {
    for (const name of names) {
      const channel = this.channels.of(name);
      this.givenUp.inc({ channel }, 0);
      for (const outcome of ['done', 'failed']) this.notices.inc({ channel, outcome }, 0);
    }
  }

  workflowEnded(workflow: string, { model, outcome, durationMs }: WorkflowEnd, isTraining: boolean): void {
    const plain = outcome === 'failed' || outcome === 'cancelled' ? outcome : 'completed';
    this.ended.inc({ workflow: this.workflows.of(workflow), outcome: plain });
    if (!isTraining) return;
    this.runs.inc({ model: this.models.of(model), outcome });
    this.runSeconds.observe({ outcome }, durationMs / 1000);
  }

  attemptBegan(activity: string, taskQueue: string, waitedSeconds: number): void {
    const labels = { task_queue: this.queues.of(taskQueue), activity: this.activities.of(activity) };
    // Two machines' clocks may differ.
    this.queueSeconds.observe(labels, Math.max(0, waitedSeconds));
  }

  attemptEnded(activity: string, outcome: AttemptOutcome): void {
    this.attempts.inc({ activity: this.activities.of(activity), outcome });
  }

  triedAgain(activity: string, reason: string): void {
    this.again.inc({ activity: this.activities.of(activity), reason });
  }

  stageEnded({ stage, executor, outcome, seconds }: StageSeen): void {
    this.stageSeconds.observe({ stage, executor, outcome }, seconds);
  }

  cacheAsked(stage: string, result: 'hit' | 'miss' | 'skipped'): void {
    this.cache.inc({ stage, result });
  }

  stageMoved(stage: string, readBytes: number, storedBytes: number): void {
    this.bytesRead.inc({ stage }, readBytes);
    this.bytesStored.inc({ stage }, storedBytes);
  }

  noticeTried(channel: string, outcome: AttemptOutcome): void {
    this.notices.inc({ channel: this.channels.of(channel), outcome });
  }

  noticeGivenUp(channel: string): void {
    this.givenUp.inc({ channel: this.channels.of(channel) });
  }

  /** What this worker is. */
  worker({ version, taskQueue }: { version: string; taskQueue: string }): void {
    const queue = this.queues.of(taskQueue);
    this.info.set({ version, task_queue: queue }, 1);
    for (const stage of STAGES)
      this.queueSeconds.zero({
        task_queue: queue,
        activity: this.activities.of(ACTIVITY_OF[stage] ?? stage),
      });
  }
}
