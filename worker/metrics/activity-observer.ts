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
  onFailure: (type: string) => void;
}

/**
 * Counts what activities do, gives each of their log lines its model and stage, and writes a line at the start and the end of a stage.
 * The outermost interceptor: it sees failures as Temporal gets them. It changes nothing, and what it cannot count fails nothing.
 */
export function activityObserver({ metrics, reasons, onFailure }: ActivityObserverDeps): ActivityInterceptorsFactory {
  return (context): ActivityInterceptors => {
    const { info } = context;
    const { activityType, taskQueue, attempt, currentAttemptScheduledTimestampMs } = info;
    const stage = isComputeStage(activityType) ? activityType : STAGE_OF[activityType];
    let model: string | undefined;
    return {
      outbound: {
        getLogAttributes: (attributes, next) =>
          next({
            ...attributes,
            ...(model === undefined ? {} : { model }),
            ...(stage === undefined ? {} : { stage }),
          }),
      },
      inbound: {
        async execute(input, next) {
          const began = performance.now();
          const [asked] = input.args;
          model = modelOf(asked);
          if (model !== undefined) metrics.modelSeen(model);
          metrics.attemptBegan(activityType, taskQueue, (Date.now() - currentAttemptScheduledTimestampMs) / 1000);
          if (attempt > 1 && !LOOKS.includes(activityType)) void tellRetry(context);
          const executor = stage === undefined ? 'in-process' : executorOf(stage, asked);
          if (stage !== undefined) context.log.info('stage started', { executor });
          const ended = (outcome: AttemptOutcome, about: Record<string, unknown>): void => {
            metrics.attemptEnded(activityType, outcome);
            if (activityType === 'sendNotice') metrics.noticeTried(channelOf(asked), outcome);
            if (stage === undefined) return;
            const durationMs = Math.round(performance.now() - began);
            metrics.stageEnded({ stage, executor, outcome, seconds: durationMs / 1000 });
            context.log[outcome === 'failed' ? 'warn' : 'info']('stage ended', {
              ...{ executor, outcome, durationMs },
              ...about,
            });
          };
          try {
            const output = await next(input);
            const figures = isComputeStage(activityType) ? count(activityType, asked as ComputeInput, output as ComputeOutput) : {};
            ended(isComputeStage(activityType) && (output as ComputeOutput).reused ? 'reused' : 'done', figures);
            return output;
          } catch (error) {
            const [outcome, type] = endOf(error);
            if (outcome === 'failed' || outcome === 'interrupted') reasons.remember(info, type);
            if (outcome === 'failed') onFailure(type);
            ended(outcome, outcome === 'failed' ? { code: type, reason: (error as Error).message } : {});
            throw error;
          }
        },
      },
    };
  };

  async function tellRetry({ info: { activityType }, info, log }: Context): Promise<void> {
    const reason = await reasons.before(info);
    metrics.triedAgain(activityType, reason);
    // An outage is told of once, and not for each activity that waits for its end.
    if (reason !== 'MLFLOW_UNREACHABLE') log.warn('activity tried again', { reason });
  }

  /** @returns what its line says */
  function count(stage: ComputeStageName, { spec, artifacts }: ComputeInput, output: ComputeOutput): Record<string, unknown> {
    const afresh = spec.forceId !== undefined;
    metrics.cacheAsked(stage, afresh ? 'skipped' : output.reused ? 'hit' : 'miss');
    if (output.reused) return {};
    const given = { ...artifacts, ...byName(dataInputs(spec).map(({ artifact }) => artifact)) };
    const readBytes = bytesOf(inputsOf(stage, given));
    const storedBytes = bytesOf(output.artifacts);
    metrics.stageMoved(stage, readBytes, storedBytes);
    return { readBytes, storedBytes };
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
  const { model, spec, position, notice, ask } = (asked ?? {}) as Record<string, Record<string, unknown> | undefined>;
  const params = (spec ?? (ask?.['spec'] as Record<string, unknown> | undefined))?.['params'] as
    | Record<string, unknown>
    | undefined;
  return [model, params?.['model'], position?.['model'], notice?.['model']].find(
    (name): name is string & Record<string, unknown> => typeof name === 'string',
  );
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
