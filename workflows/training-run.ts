import {
  CancellationScope,
  isCancellation,
  log,
  patched,
  proxyActivities,
  workflowInfo,
  type ActivityOptions,
} from '@temporalio/workflow';
import {
  type Artifacts,
  type Champion,
  type ComputeInput,
  type ComputeOutput,
  type EvaluateOutput,
  type OpenRunOutput,
  type PipelineActivities,
  type PreprocessOutput,
  type PublishInput,
  type RegisterOutput,
} from '../contracts/activities';
import { lineageOf } from '../contracts/lineage';
import { type RunSpec, type TrainingResult } from '../contracts/run';
import { computing, tracking, uploading } from './activity-options';
import { decideContest, type Verdict } from './contest';
import { failureReason, isMissingArtifact } from './failure-reason';
import { endNotice, failureNotice, handToNotifier } from './notices';
import { type ProgressBoard } from './progress-board';
import { NOTE, SUMMARY } from './stage-notes';
import { watchingQueue } from './watch-queue';

/** A scored model, and the champion that it was scored against. */
interface Made {
  champion: Champion | null;
  evaluated: EvaluateOutput;
}

type ComputeStage = 'preprocess' | 'train' | 'evaluate';

/** See docs/upgrading.md: runs that began before go on as they began. */
const PREPROCESS_AT_ONCE = 'preprocess-while-the-mlflow-run-is-opened';

/** What the beginning of a run came to. */
type Begun = { finished: TrainingResult } | { finished: null; preprocessed?: PreprocessOutput };

/**
 * The canonical run of one pipeline key. A failed gate is an outcome; a failure or a cancellation closes
 * the MLflow run as FAILED or KILLED, with the reason, before it leaves here.
 */
export class TrainingRun {
  private run: OpenRunOutput | undefined;
  /** All that the stages have made so far, by name. */
  private artifacts: Artifacts = {};
  /** What speaks against trusting the result. */
  private warnings: string[] | undefined;
  /** What came of each stage that computes, by its name. */
  private readonly outputs: Record<string, ComputeOutput> = {};

  constructor(
    private readonly spec: RunSpec,
    private readonly board: ProgressBoard,
  ) {}

  async execute(): Promise<TrainingResult> {
    try {
      const begun = await this.begin();
      if (begun.finished !== null) return this.trainedBefore(begun.finished);
      const made = await this.make(begun.preprocessed);
      const { champion, evaluated, registered } = await this.registerWhole(made);
      const verdict = await this.promote(registered, champion, evaluated);
      return await this.finish(registered, evaluated, verdict);
    } catch (error) {
      // Not cancellable: a cancelled run, too, must be closed in MLflow and told about.
      await CancellationScope.nonCancellable(() => this.closeAfter(error));
      throw error;
    }
  }

  /**
   * Finds or opens the MLflow run. What can go on without it goes on meanwhile: preprocess, unless it keeps a container's log with the
   * run, or is done on a queue whose workers may not know what a spec is vouched for by (then `openRun` looks the spec through first).
   */
  private async begin(): Promise<Begun> {
    const { executor, queue } = this.spec.params.preprocess;
    const mayBegin = executor === 'in-process' && queue === undefined;
    if (!mayBegin || !patched(PREPROCESS_AT_ONCE)) return { finished: (await this.open()).finished };
    const aside = new CancellationScope();
    const preprocessing = aside.run(() => this.preprocess());
    // A run that is open must be closed with what went wrong, so the opening is waited for whatever comes of the stage.
    preprocessing.catch(() => undefined);
    const callOff = async (): Promise<void> => {
      aside.cancel();
      await Promise.allSettled([preprocessing]);
    };
    let finished: TrainingResult | null;
    try {
      finished = (await this.open()).finished;
    } catch (error) {
      await callOff();
      throw error;
    }
    if (finished === null) return { finished, preprocessed: await preprocessing };
    await callOff();
    this.board.takeBack('preprocess');
    return { finished };
  }

  /** From the data to a scored model. */
  private async make(preprocessed?: PreprocessOutput): Promise<Made> {
    this.warnings = (preprocessed ?? (await this.preprocess())).warnings;
    // The champion's model is fetched while the candidate trains.
    const [, champion] = await together(
      () => this.train(),
      () => this.fetchChampion(),
    );
    return { champion, evaluated: await this.evaluate(champion) };
  }

  /**
   * Registers what was made. Somebody may have emptied the cache meanwhile; what is gone, its stages make again, once: same inputs,
   * same bytes. If it goes again, the run fails, and says what to do.
   */
  private async registerWhole(made: Made): Promise<Made & { registered: RegisterOutput }> {
    try {
      return { ...made, registered: await this.register(made.evaluated) };
    } catch (error) {
      if (!isMissingArtifact(error)) throw error;
      this.board.remark(
        'register',
        `waits for the stages to make again what is gone: ${failureReason(error)}`,
      );
      const again = await this.make();
      return { ...again, registered: await this.register(again.evaluated) };
    }
  }

  /** Finds the MLflow run of this key, or opens it. */
  private async open(): Promise<OpenRunOutput> {
    const { workflowId, runId: workflowRunId } = workflowInfo();
    const opened = await act(tracking, 'find or open the MLflow run').openRun({
      spec: this.spec,
      workflowId,
      workflowRunId,
    });
    if (opened.finished === null) {
      this.run = opened;
      this.board.opened(opened);
      const { pipelineKey, data, user } = this.spec;
      log.info('run started', {
        pipelineKey,
        data: data.path,
        by: user ?? 'unknown',
        mlflowRunId: opened.mlflowRunId,
      });
    }
    return opened;
  }

  private trainedBefore(result: TrainingResult): TrainingResult {
    this.board.end(result.outcome, `Trained before. Version ${result.modelVersion}: ${result.reason}.`);
    return result;
  }

  private preprocess(): Promise<PreprocessOutput> {
    return this.board.stage(
      'preprocess',
      () => this.compute('preprocess', SUMMARY.preprocess(this.spec), (on, input) => on.preprocess(input)),
      NOTE.preprocess,
    );
  }

  private train(): Promise<ComputeOutput> {
    return this.board.stage(
      'train',
      () => this.compute('train', SUMMARY.train(this.spec), (on, input) => on.train(input)),
      NOTE.train,
    );
  }

  private fetchChampion(): Promise<Champion | null> {
    const { model } = this.spec.params;
    return act(tracking, `model of ${model}@production`).fetchChampion({ model });
  }

  private evaluate(champion: Champion | null): Promise<EvaluateOutput> {
    return this.board.stage('evaluate', () => this.score(champion), NOTE.evaluate);
  }

  /** The candidate, and the champion on held-out rows that neither was trained on. */
  private async score(champion: Champion | null): Promise<EvaluateOutput> {
    const scored = await this.compute('evaluate', SUMMARY.evaluate(this.spec, champion), (on, input) =>
      on.evaluate({ ...input, artifacts: { ...input.artifacts, ...champion?.artifacts } }),
    );
    return champion?.error === undefined ? scored : { ...scored, championError: champion.error };
  }

  private register(evaluated: EvaluateOutput): Promise<RegisterOutput> {
    const { workflowId, runId: workflowRunId, startTime } = workflowInfo();
    const { mlflowRunId, mlflowExperimentId, mlflowArtifactUri } = this.opened;
    return this.board.stage(
      'register',
      () =>
        act(uploading, SUMMARY.register(this.spec)).register({
          spec: this.spec,
          workflowId,
          workflowRunId,
          startedAt: startTime.toISOString(),
          mlflowRunId,
          mlflowExperimentId,
          mlflowArtifactUri,
          artifacts: this.artifacts,
          evaluated,
        }),
      NOTE.register,
    );
  }

  private promote(
    { modelVersion }: RegisterOutput,
    champion: Champion | null,
    evaluated: EvaluateOutput,
  ): Promise<Verdict> {
    const candidate = {
      spec: this.spec,
      modelVersion,
      run: this.opened,
      score: (now: Champion | null): Promise<EvaluateOutput> => this.score(now),
    };
    return this.board.stage('promote', () => decideContest(candidate, champion, evaluated), NOTE.promote);
  }

  private get opened(): OpenRunOutput {
    if (this.run === undefined) throw new Error('the MLflow run is opened before any stage');
    return this.run;
  }

  /** Where a container's log is kept, once the run is open. */
  private get logged(): Pick<ComputeInput, 'mlflowRunId'> {
    return this.run === undefined ? {} : { mlflowRunId: this.run.mlflowRunId };
  }

  /** A compute stage, on the queue that params.yaml names for it. */
  private async compute<T extends ComputeOutput>(
    stage: ComputeStage,
    summary: string,
    work: (on: PipelineActivities, input: Parameters<PipelineActivities['train']>[0]) => Promise<T>,
  ): Promise<T> {
    const { spec, artifacts } = this;
    const { queue } = spec.params[stage];
    const options = { ...computing(spec.params.retry), ...(queue === undefined ? {} : { taskQueue: queue }) };
    const input = { spec, ...this.logged, artifacts };
    const output = await watchingQueue(
      queue,
      (text) => this.board.remark(stage, text),
      () => work(act(options, summary), input),
    );
    this.artifacts = { ...this.artifacts, ...output.artifacts };
    this.outputs[stage] = output;
    return output;
  }

  private async finish(
    { modelVersion, metadata }: RegisterOutput,
    evaluated: EvaluateOutput,
    { outcome, gate, champion, comparison, alias, reason, evidence }: Verdict,
  ): Promise<TrainingResult> {
    const { spec, board, outputs } = this;
    const { workflowId, runId: workflowRunId } = workflowInfo();
    const { mlflowRunId, mlflowExperimentId } = this.opened;
    const result: TrainingResult = {
      outcome,
      model: spec.params.model,
      modelVersion,
      ...lineageOf(spec),
      workflowId,
      workflowRunId,
      mlflowRunId,
      mlflowExperimentId,
      metrics: evaluated.candidateMetrics,
      gate,
      champion,
      comparison,
      ...(evidence === undefined ? {} : { evidence }),
      alias,
      reason,
      ...(this.warnings === undefined ? {} : { warnings: this.warnings }),
      reused: Object.keys(outputs).filter((stage) => outputs[stage]?.reused === true),
      stageMs: board.durations(),
      finishedAt: new Date().toISOString(),
    };
    await this.close(result, { spec, stages: outputs, metadata });
    return result;
  }

  private async close(result: TrainingResult, publish: PublishInput): Promise<void> {
    const { channels, unpublished } = await act(tracking, 'close the MLflow run').closeRun({
      status: 'FINISHED',
      mlflowRunId: result.mlflowRunId,
      mlflowArtifactUri: this.opened.mlflowArtifactUri,
      finished: { result, publish },
    });
    const aside = unpublished === null ? '' : `\n\nThe workspace does not show this run: ${unpublished}.`;
    this.board.end(result.outcome, `Version ${result.modelVersion}: ${result.reason}.${aside}`);
    const notice = endNotice(this.spec, result);
    log.info('run finished', {
      outcome: result.outcome,
      durationMs: Date.now() - workflowInfo().startTime.getTime(),
      reused: result.reused,
      modelVersion: result.modelVersion,
      reason: result.reason,
    });
    if (notice !== null && this.spec.params.notify.on.includes(notice.kind)) {
      await handToNotifier(notice, channels);
    }
  }

  private async closeAfter(error: unknown): Promise<void> {
    const cancelled = isCancellation(error);
    const reason = cancelled ? 'the run was cancelled' : failureReason(error);
    const mlflowRunId = this.run?.mlflowRunId;
    this.board.end(cancelled ? 'cancelled' : 'failed', reason);
    if (cancelled) log.warn('run cancelled', {});
    else {
      log.error('run failed', { reason });
      if (this.spec.params.notify.on.includes('failure')) {
        await handToNotifier(failureNotice(this.spec, reason, mlflowRunId));
      }
    }
    if (mlflowRunId === undefined) return;
    try {
      await act(tracking, 'close the MLflow run').closeRun({
        status: cancelled ? 'KILLED' : 'FAILED',
        mlflowRunId,
        reason,
      });
    } catch (closing) {
      // The run's own failure is what its reader must see. The next run of this key closes what is left open.
      log.error('MLflow run not closed', { mlflowRunId, reason: failureReason(closing) });
    }
  }
}

/** Activities under the given limits, with a line for the Web UI's timeline. */
function act(options: ActivityOptions, summary: string): PipelineActivities {
  return proxyActivities<PipelineActivities>({ ...options, summary });
}

/** Both, or the error of the first that fails, after the other has been called off. */
async function together<A, B>(a: () => Promise<A>, b: () => Promise<B>): Promise<[A, B]> {
  return CancellationScope.cancellable(async () => {
    const both = [a(), b()] as const;
    try {
      return await Promise.all(both);
    } catch (error) {
      CancellationScope.current().cancel();
      await Promise.allSettled(both);
      throw error;
    }
  });
}
