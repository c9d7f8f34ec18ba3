import { type Context } from '@temporalio/activity';
import { ApplicationFailure, ApplicationFailureCategory, CancelledFailure } from '@temporalio/common';
import { type ActivityInterceptors, type ActivityInterceptorsFactory } from '@temporalio/worker';
import { type ComputeInput, type ComputeOutput } from '../../contracts/activities';
import { containerOptions } from '../../contracts/container';
import { dataInputs } from '../../contracts/data-inputs';
import { byName, inputsOf, isComputeStage, type ComputeStageName } from '../../pipeline/stage';
import { type RetryReasons } from './retry-reasons';
import { type AttemptOutcome, type WorkerMetrics } from './worker-metrics';

/** The activities that do the work of stages which do not compute. */
const STAGE_OF: Readonly<Record<string, string>> = { register: 'register', askSteward: 'promote' };

/** The activity that looks again and again. */
const LOOKS = ['watchProduction'];

export interface ActivityObserverDeps {
  metrics: WorkerMetrics;
  reasons: RetryReasons;
  /** Told of each failure with the code of its error; see `MlflowOutage`. */
  onFailure: (type: string, reason: string) => void;
}

/**
 * Counts what activities do, gives each of their log lines its model and stage, and writes a line at the start and the end of a stage.
 * The outermost interceptor: it sees failures as Temporal gets them. It changes nothing, and what it cannot count fails nothing.
 */
export function activityObserver({
  metrics,
  reasons,
  onFailure,
}: ActivityObserverDeps): ActivityInterceptorsFactory {
  return (context): ActivityInterceptors => {
    const { info } = context;
    const { activityType } = info;
    const stage = isComputeStage(activityType) ? activityType : STAGE_OF[activityType];
    let model: string | undefined;
    return {
      outbound: {
        getLogAttributes: (attributes, next) => next({ ...attributes, ...named(model, stage) }),
      },
      inbound: {
        async execute(input, next) {
          const [asked] = input.args;
          const attempt = quietly(context, () => begin(context, stage, asked));
          model = attempt?.model;
          try {
            const output = await next(input);
            quietly(context, () => attempt?.done(output));
            return output;
          } catch (error) {
            quietly(context, () => attempt?.failed(error));
            throw error;
          }
        },
      },
    };
  };

  /** An attempt begins. */
  function begin(context: Context, stage: string | undefined, asked: unknown): Attempt {
    const { info, log } = context;
    const { activityType, taskQueue, attempt, currentAttemptScheduledTimestampMs: due } = info;
    const began = performance.now();
    const model = modelOf(asked);
    if (model !== undefined) metrics.modelSeen(model);
    metrics.attemptBegan(activityType, taskQueue, (Date.now() - due) / 1000);
    if (attempt > 1 && !LOOKS.includes(activityType)) void tellRetry(context);
    const executor = executorOf(activityType, asked);
    if (stage !== undefined) log.info('stage started', { ...named(model, stage), executor });

    const end = (outcome: AttemptOutcome, about: Record<string, unknown>): void => {
      metrics.attemptEnded(activityType, outcome);
      if (activityType === 'sendNotice') metrics.noticeTried(channelOf(asked), outcome);
      if (stage === undefined) return;
      const durationMs = Math.round(performance.now() - began);
      metrics.stageEnded({ stage, executor, outcome, seconds: durationMs / 1000 });
      log[outcome === 'failed' ? 'warn' : 'info']('stage ended', { executor, outcome, durationMs, ...about });
    };
    return {
      model,
      done(output) {
        if (activityType === 'recordWatch') showFigures(asked);
        if (!isComputeStage(activityType)) return end('done', {});
        const made = output as ComputeOutput;
        return end(made.reused ? 'reused' : 'done', count(activityType, asked as ComputeInput, made));
      },
      failed(error) {
        const [outcome, type] = endOf(error);
        const reason = error instanceof Error ? error.message : String(error);
        if (outcome === 'failed' || outcome === 'interrupted') reasons.remember(info, type);
        if (outcome === 'failed') onFailure(type, reason);
        end(outcome, outcome === 'failed' ? { code: type, reason } : {});
      },
    };
  }

  /** A check has been written down: what it found, as it was written. */
  function showFigures(asked: unknown): void {
    const { watch, looks } = (asked ?? {}) as {
      watch?: { model?: unknown };
      looks?: { metrics?: Record<string, unknown>; columns?: Record<string, unknown> }[];
    };
    if (typeof watch?.model !== 'string' || !Array.isArray(looks)) return;
    const figures = looks.flatMap(({ metrics: own, columns }) => [
      ...Object.entries(own ?? {}),
      ...Object.entries(columns ?? {}).map(([name, psi]): [string, unknown] => [`psi.${name}`, psi]),
    ]);
    metrics.figures.show(watch.model, Object.fromEntries(figures));
  }

  async function tellRetry({ info: { activityType }, info, log }: Context): Promise<void> {
    const reason = await reasons.before(info);
    metrics.triedAgain(activityType, reason);
    // An outage is told of once, and not for each activity that waits for its end.
    if (reason !== 'MLFLOW_UNREACHABLE') log.warn('activity tried again', { reason });
  }

  /** @returns what its line says */
  function count(
    stage: ComputeStageName,
    { spec, artifacts }: ComputeInput,
    output: ComputeOutput,
  ): Record<string, unknown> {
    const afresh = spec.forceId !== undefined;
    metrics.cacheAsked(stage, afresh ? 'skipped' : output.reused ? 'hit' : 'miss');
    if (output.reused) return {};
    const given = { ...artifacts, ...byName(dataInputs(spec).map(({ artifact }) => artifact)) };
    const readBytes = bytesOf(inputsOf(stage, given, spec.params));
    const storedBytes = bytesOf(output.artifacts);
    metrics.stageMoved(stage, readBytes, storedBytes);
    return { readBytes, storedBytes };
  }
}

/** One attempt of an activity. */
interface Attempt {
  model: string | undefined;
  done(output: unknown): void;
  failed(error: unknown): void;
}

const named = (model: string | undefined, stage: string | undefined): Record<string, string> => ({
  ...(model === undefined ? {} : { model }),
  ...(stage === undefined ? {} : { stage }),
});

/** What an activity was asked may be anybody's; that it cannot be counted is said, and is no reason to fail it. */
function quietly<T>({ log }: Context, work: () => T): T | undefined {
  try {
    return work();
  } catch (error) {
    log.warn('activity not counted', { reason: String(error) });
    return undefined;
  }
}

const bytesOf = (artifacts: ComputeOutput['artifacts']): number =>
  Object.values(artifacts).reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);

function executorOf(stage: string, asked: unknown): 'in-process' | 'container' {
  if (!isComputeStage(stage)) return 'in-process';
  const params = (asked as Partial<ComputeInput> | undefined)?.spec?.params[stage];
  return params !== undefined && containerOptions(params) !== undefined ? 'container' : 'in-process';
}

/** Activities are asked about a model in one of these ways, if about any. */
function modelOf(asked: unknown): string | undefined {
  const { model, spec, position, notice, ask, watch, finding } = (asked ?? {}) as Record<
    string,
    Record<string, unknown> | undefined
  >;
  const params = (spec ?? (ask?.['spec'] as Record<string, unknown> | undefined))?.['params'] as
    Record<string, unknown> | undefined;
  return [
    model,
    params?.['model'],
    position?.['model'],
    watch?.['model'],
    finding?.['model'],
    notice?.['model'],
  ].find((name): name is string & Record<string, unknown> => typeof name === 'string');
}

function channelOf(asked: unknown): string {
  const { channel } = (asked ?? {}) as { channel?: unknown };
  return typeof channel === 'string' ? channel : 'unknown';
}

/** How an attempt that threw has ended, and the type of its failure. */
function endOf(error: unknown): [AttemptOutcome, string] {
  if (error instanceof CancelledFailure) return ['cancelled', ''];
  if (!(error instanceof ApplicationFailure)) return ['failed', ''];
  if (error.category === ApplicationFailureCategory.BENIGN) return ['nothing_new', ''];
  const type = error.type ?? '';
  return [type === 'WORKER_STOPPED' ? 'interrupted' : 'failed', type];
}
