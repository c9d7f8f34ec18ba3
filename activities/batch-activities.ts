import { createHash } from 'node:crypto';
import { Context } from '@temporalio/activity';
import { type BatchActivities, BatchPredictionInput, type BatchSpec } from '../contracts/batch-prediction';
import { RetrainError } from '../contracts/errors';
import { RUN_TAG } from '../contracts/names';
import { type Mlflow } from '../integrations/mlflow/client';
import { findVersion, parseModelReference } from '../integrations/mlflow/registered-run';
import { canonicalJson } from '../ml/hashing/canonical-json';
import { digestData } from '../pipeline/run/digest-data';
import { dataInsideProject } from '../pipeline/run/inside-project';
import { isBelow, shownPath } from '../pipeline/run/params-file';
import { type ScoreTable } from '../serving/batch/score-table';
import {
  besideOf,
  discard,
  discardOld,
  knownOutput,
  outputInsideProject,
  place,
} from '../serving/batch/output-file';
import { withHeartbeat } from './heartbeat';

export interface BatchDeps {
  /** The project's folder, absolute. */
  project: string;
  mlflow: Mlflow;
  scoreTable: ScoreTable;
}

/** Tag of a run in MLflow that is a batch prediction. */
const BATCH_TAG = 'batch_key';

const SOURCE = 'batchPrediction';

/** A table of the project scored by a registered model: what is asked for, the scoring, and what is kept of it. */
export function createBatchActivities({ project, mlflow, scoreTable }: BatchDeps): BatchActivities {
  const paths = async (asked: Pick<BatchSpec, 'data' | 'out'>): Promise<{ data: string; out: string }> => {
    const data = await dataInsideProject(project, asked.data, SOURCE, 'data');
    const out = await outputInsideProject(project, asked.out, SOURCE);
    if (!isBelow(data, out)) return { data, out };
    throw new RetrainError(
      'CONFIG_INVALID',
      `${SOURCE}: out: ${shownPath(asked.out)} is the data, or lies among them; the next night would score the predictions`,
    );
  };
  return {
    /** Reads only. */
    async resolveBatch(given) {
      const { data, out, model: named, project: owner } = checkedBatch(given);
      const reference = parseModelReference(named);
      return withHeartbeat(async (signal) => {
        const absolute = await paths({ data, out });
        const [digest, version] = await Promise.all([
          digestData(project, absolute.data, signal),
          findVersion(mlflow, reference, signal),
        ]);
        const identity = {
          ...{ data, out, dataHash: digest.sha256, model: version.name },
          ...{ modelVersion: version.version, modelRunId: version.runId },
        };
        const batchKey = createHash('sha256').update(canonicalJson(identity)).digest('hex');
        const whose = owner === undefined ? {} : { project: owner };
        return { ...identity, dataSizeBytes: digest.sizeBytes, batchKey, ...whose };
      });
    },

    /** Idempotent: the file of the same key is found again by the note beside it; another attempt writes beside it under another name. */
    async predictBatch(spec) {
      const { activityId, attempt, workflowExecution } = Context.current().info;
      return withHeartbeat(async (signal, onProgress) => {
        const { data, out } = await paths(spec);
        const known = await knownOutput(out, spec.batchKey);
        if (known !== null) return known;
        await discardOld(out, Date.now());
        const mark = `${workflowExecution?.runId.slice(0, 8) ?? 'run'}-${activityId}`;
        // What an attempt left whose worker died.
        for (let before = 1; before < attempt; before += 1) await discard(besideOf(out, `${mark}-${before}`));
        const beside = besideOf(out, `${mark}-${attempt}`);
        try {
          const { model, modelVersion } = spec;
          const { rows } = await scoreTable(
            { data, shown: spec.data, model, modelVersion, out: beside },
            { signal, onRows: (done) => onProgress({ phase: 'scoring', done }) },
          );
          await requireUnchanged(spec, data, signal);
          signal.throwIfAborted();
          return await place(spec, beside, out, rows);
        } finally {
          await discard(beside);
        }
      });
    },

    /** Idempotent: the run is found by its key; one that has this result already stays as it is. */
    async recordBatch({ batch: spec, output }) {
      const { scheduledTimestampMs: at, workflowExecution } = Context.current().info;
      return withHeartbeat(async (signal) => {
        const experiment = await mlflow.experiments.ensure(`${spec.model}-predictions`, signal);
        const tag = [BATCH_TAG, spec.batchKey] as const;
        const run = await mlflow.runs.findOrCreateTagged(experiment, spec.out, tag, signal);
        const done = { mlflowRunId: run.runId };
        if (run.status === 'FINISHED' && run.tags['output_sha256'] === output.sha256) return done;
        await mlflow.runs.log(
          run.runId,
          {
            params: { data: spec.data, out: spec.out, model: spec.model, model_version: spec.modelVersion },
            tags: {
              [RUN_TAG.dataHash]: spec.dataHash,
              model_run_id: spec.modelRunId,
              [RUN_TAG.workflowId]: workflowExecution?.workflowId ?? '',
              [RUN_TAG.workflowRunId]: workflowExecution?.runId ?? '',
            },
            metrics: { rows: output.rows, size_bytes: output.sizeBytes },
            at,
          },
          signal,
        );
        await mlflow.runs.finish(run.runId, 'FINISHED', {
          tags: { output_sha256: output.sha256 },
          endedAt: at,
          signal,
        });
        return done;
      });
    },
  };

  async function requireUnchanged(
    { dataHash, data: shown }: BatchSpec,
    data: string,
    signal: AbortSignal,
  ): Promise<void> {
    const { sha256 } = await digestData(project, data, signal);
    if (sha256 === dataHash) return;
    throw new RetrainError(
      'DATA_CHANGED',
      `${shown} changed while it was scored: its hash was ${dataHash.slice(0, 12)}, and is ${sha256.slice(0, 12)}; start again when it is at rest`,
    );
  }
}

/** @throws RetrainError CONFIG_INVALID, with the first mistake; anybody may have typed it into the Web UI */
function checkedBatch(given: unknown): BatchPredictionInput {
  const parsed = BatchPredictionInput.safeParse(given);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  const where = ['the input', ...(issue?.path ?? []).map(String)].join('.').slice(0, 100);
  throw new RetrainError(
    'CONFIG_INVALID',
    `${where}: ${issue?.message.slice(0, 200) ?? 'is no mapping'}; expected {"data": "data/new.csv", "model": "iris-classifier@production", "out": "predictions.parquet"}`,
  );
}
