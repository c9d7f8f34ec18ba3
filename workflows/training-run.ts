import {
  CancellationScope,
  isCancellation,
  log,
  proxyActivities,
  workflowInfo,
  type ActivityOptions,
} from '@temporalio/workflow';
import {
  type Champion,
  type CloseRunInput,
  type EvaluateOutput,
  type PipelineActivities,
} from '../contracts/activities';
import { type RunSpec, type TrainingResult } from '../contracts/run';
import { computing, tracking, uploading } from './activity-options';
import { failureReason } from './failure-reason';
import { endNotice, failureNotice, handToNotifier } from './notices';
import { type ProgressBoard } from './progress-board';
import { evaluationNote, trainingNote } from './stage-notes';
import { Contest } from './contest';
import { watchingQueue } from './watch-queue';

/**
 * The canonical run of one pipeline key. A failed gate is an outcome; a failure or a cancellation closes
 * the MLflow run as FAILED or KILLED, with the reason, before it leaves here.
 */
export class TrainingRun {
  private mlflowRunId: string | undefined;

  constructor(
    private readonly spec: RunSpec,
    private readonly board: ProgressBoard,
  ) {}

  async execute(): Promise<TrainingResult> {
    try {
      return await this.train();
    } catch (error) {
      // Not cancellable: a cancelled run, too, must be closed in MLflow and told about.
      await CancellationScope.nonCancellable(() => this.closeAfter(error));
      throw error;
    }
  }

  private async train(): Promise<TrainingResult> {
    const { spec, board } = this;
    const { workflowId, runId: workflowRunId, startTime } = workflowInfo();
    const model = spec.params.model;
    const opened = await act(tracking, 'find or open the MLflow run').openRun({
      spec,
      workflowId,
      workflowRunId,
    });
    if (opened.finished !== null) {
      board.end(
        opened.finished.outcome,
        `Trained before. Version ${opened.finished.modelVersion}: ${opened.finished.reason}.`,
      );
      return opened.finished;
    }
    this.mlflowRunId = opened.mlflowRunId;
    board.opened(opened);

    const { mlflowRunId } = opened;
    const table = await board.stage(
      'preprocess',
      () =>
        this.compute('preprocess', `${spec.data.path}, ${spec.data.sizeBytes} bytes`, (on) =>
          on.preprocess({ spec, mlflowRunId }),
        ),
      ({ rows, reused }) => note(`${rows.train} training rows, ${rows.test} held out`, reused),
    );
    const { algorithm, n_estimators: trees } = spec.params.train;
    const [trained, firstChampion] = await board.stage(
      'train',
      // The champion's model is fetched meanwhile; if one of the two fails, the other is called off.
      () =>
        together(
          () =>
            this.compute('train', `${algorithm}, ${trees} trees`, (on) =>
              on.train({ spec, mlflowRunId, train: table.train, schema: table.schema }),
            ),
          () => act(tracking, `model of ${model}@production`).fetchChampion({ model }),
        ),
      ([{ metrics, reused }]) => note(trainingNote(metrics), reused),
    );
    const score = (champion: Champion | null): Promise<EvaluateOutput> =>
      this.compute(
        'evaluate',
        champion === null ? 'no champion yet' : `against version ${champion.version}`,
        (on) =>
          on.evaluate({
            ...{ spec, mlflowRunId, test: table.test, schema: table.schema, model: trained.model },
            champion,
          }),
      );
    const evaluated = await board.stage(
      'evaluate',
      () => score(firstChampion),
      (scored) => note(evaluationNote(scored), scored.reused),
    );
    const { modelVersion, metadata } = await board.stage(
      'register',
      () =>
        act(uploading, `${model}: model, metrics, version`).register({
          ...{ spec, workflowId, workflowRunId, startedAt: startTime.toISOString() },
          mlflowRunId: opened.mlflowRunId,
          mlflowExperimentId: opened.mlflowExperimentId,
          schema: table.schema,
          model: trained.model,
          evaluated,
        }),
      (registered) => `version ${registered.modelVersion}`,
    );
    const contest = new Contest(spec, modelVersion, score);
    const verdict = await board.stage(
      'promote',
      () => contest.decide(firstChampion, evaluated),
      ({ reason }) => reason,
    );
    const report = {
      evaluation: verdict.evaluated.evaluation,
      profile: table.profile,
      training: trained.training,
    };
    const publish = { spec, table, trained, evaluated: verdict.evaluated, metadata };
    return this.finish(
      { report, publish },
      {
        outcome: verdict.outcome,
        model,
        modelVersion,
        pipelineKey: spec.pipelineKey,
        dataHash: spec.data.sha256,
        paramsHash: spec.paramsHash,
        codeHash: spec.codeHash,
        gitCommit: spec.git.commit,
        workflowId,
        workflowRunId,
        mlflowRunId: opened.mlflowRunId,
        mlflowExperimentId: opened.mlflowExperimentId,
        metrics: evaluated.metrics,
        gate: verdict.gate,
        champion: verdict.champion,
        alias: verdict.alias,
        reason: verdict.reason,
        reused: [
          ...(table.reused ? ['preprocess'] : []),
          ...(trained.reused ? ['train'] : []),
          ...(verdict.evaluated.reused ? ['evaluate'] : []),
        ],
        stageMs: board.durations(),
        finishedAt: new Date().toISOString(),
      },
    );
  }

  /** A compute stage, on the queue that params.yaml names for it. */
  private compute<T>(
    stage: 'preprocess' | 'train' | 'evaluate',
    summary: string,
    work: (on: PipelineActivities) => Promise<T>,
  ): Promise<T> {
    const { params } = this.spec;
    const { queue } = params[stage];
    const options = { ...computing(params.retry), ...(queue === undefined ? {} : { taskQueue: queue }) };
    return watchingQueue(
      queue,
      (text) => this.board.remark(stage, text),
      () => work(act(options, summary)),
    );
  }

  private async finish(
    shown: Pick<CloseRunInput, 'report' | 'publish'>,
    result: TrainingResult,
  ): Promise<TrainingResult> {
    const { channels, unpublished } = await act(tracking, 'close the MLflow run').closeRun({
      status: 'FINISHED',
      mlflowRunId: result.mlflowRunId,
      result,
      ...shown,
    });
    const aside = unpublished === null ? '' : `\n\nThe workspace does not show this run: ${unpublished}.`;
    this.board.end(result.outcome, `Version ${result.modelVersion}: ${result.reason}.${aside}`);
    const notice = endNotice(this.spec, result);
    log.info('run finished', {
      outcome: result.outcome,
      modelVersion: result.modelVersion,
      reason: result.reason,
    });
    if (notice !== null && this.spec.params.notify.on.includes(notice.kind)) {
      await handToNotifier(notice, channels);
    }
    return result;
  }

  private async closeAfter(error: unknown): Promise<void> {
    const cancelled = isCancellation(error);
    const reason = cancelled ? 'the run was cancelled' : failureReason(error);
    this.board.end(cancelled ? 'cancelled' : 'failed', reason);
    if (!cancelled) {
      log.error('run failed', { reason });
      if (this.spec.params.notify.on.includes('failure')) {
        await handToNotifier(failureNotice(this.spec, reason, this.mlflowRunId));
      }
    }
    if (this.mlflowRunId === undefined) return;
    try {
      await act(tracking, 'close the MLflow run').closeRun({
        status: cancelled ? 'KILLED' : 'FAILED',
        mlflowRunId: this.mlflowRunId,
        reason,
      });
    } catch (closing) {
      // The run's own failure is what its reader must see. The next run of this key closes what is left open.
      log.error('MLflow run not closed', { mlflowRunId: this.mlflowRunId, reason: failureReason(closing) });
    }
  }
}

function note(text: string, reused: boolean): string {
  return reused ? `reused: ${text}` : text;
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
