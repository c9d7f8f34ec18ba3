import path from 'node:path';
import { type PipelineActivities } from '../contracts/activities';
import { containerOptions } from '../contracts/container';
import { RetrainError } from '../contracts/errors';
import { type RunSpec } from '../contracts/run';
import { ARTIFACT, Evaluation, TableSchema } from '../contracts/stage';
import { metricsFor } from '../ml/gate/check-gate';
import { type ContentStore } from '../integrations/dvc/content-store';
import { computeStage, type ComputeStageName } from '../pipeline/stage';
import { codeHashWith, type StageCode } from '../pipeline/stage-code';
import { type StageResults } from '../pipeline/results/stage-results';
import { type ContainerStages } from './container-stages';
import { relabelled } from '../pipeline/run/relabelled';
import { readJson } from './read-json';
import { StageRunner, output, type StageExecutor, type StageJob } from './stage-runner';

export interface ComputeDeps {
  /** The project's folder, absolute. */
  project: string;
  store: ContentStore;
  results: StageResults;
  executor: StageExecutor;
  containers: ContainerStages;
  scratchDir: string;
  /** The stage code that this worker runs. */
  code: StageCode;
}

/**
 * preprocess, train, evaluate: functions of content, by way of `StageRunner`, which says how they are
 * idempotent.
 */
export function createComputeActivities(
  deps: ComputeDeps,
): Pick<PipelineActivities, 'preprocess' | 'train' | 'evaluate'> {
  const { project, store, code, results } = deps;
  const runner = new StageRunner(store, results, deps.executor, deps.containers, deps.scratchDir);

  function requireSameCode({ codeHash: wanted, images }: RunSpec): void {
    const codeHash = codeHashWith(code, images);
    if (wanted === codeHash) return;
    throw new RetrainError(
      'CODE_MISMATCH',
      `the run was started for stage code ${wanted.slice(0, 12)}, but this worker runs ${codeHash.slice(0, 12)}; build client and worker from the same commit, restart the worker, and start again`,
    );
  }

  return {
    /** Stores the data first, under the hash that the run was started for, and works on the stored copy only. */
    async preprocess({ spec, mlflowRunId }) {
      requireSameCode(spec);
      const { data } = spec;
      const file = path.resolve(project, data.path);
      const stored = await store
        .put(file, ARTIFACT.data, { expect: { sha256: data.sha256 } })
        .catch((error: unknown) => {
          throw relabelled(error, file, data.path);
        });
      const result = await runner.run({
        ...job('preprocess', spec, code, mlflowRunId),
        inputs: { [ARTIFACT.data]: stored },
      });
      const schema = output(result, ARTIFACT.schema);
      const { rows } = TableSchema.parse(await readJson(store, schema));
      return {
        train: output(result, ARTIFACT.train),
        test: output(result, ARTIFACT.test),
        schema,
        profile: result.byName[ARTIFACT.profile] ?? null,
        rows,
        metrics: result.metrics,
        reused: result.reused,
      };
    },

    async train({ spec, train, schema, mlflowRunId }) {
      requireSameCode(spec);
      const result = await runner.run({
        ...job('train', spec, code, mlflowRunId),
        inputs: { [ARTIFACT.train]: train, [ARTIFACT.schema]: schema },
      });
      return {
        model: output(result, ARTIFACT.model),
        training: result.byName[ARTIFACT.training] ?? null,
        metrics: result.metrics,
        reused: result.reused,
      };
    },

    /** Scores candidate and champion on the same held-out rows. */
    async evaluate({ spec, test, schema, model, champion, mlflowRunId }) {
      requireSameCode(spec);
      const result = await runner.run({
        ...job('evaluate', spec, code, mlflowRunId),
        inputs: {
          [ARTIFACT.test]: test,
          [ARTIFACT.schema]: schema,
          [ARTIFACT.model]: model,
          ...(champion === null ? {} : { [ARTIFACT.championModel]: champion.model }),
          ...(champion?.description == null ? {} : { [ARTIFACT.championDescription]: champion.description }),
        },
      });
      const evaluation = output(result, ARTIFACT.evaluation);
      const scored = Evaluation.parse(await readJson(store, evaluation));
      return {
        evaluation,
        metrics: metricsFor(spec.params.gate, scored.candidate),
        championMetrics: scored.champion?.metrics ?? null,
        championError: scored.championError,
        rows: scored.rows,
        stageMetrics: result.metrics,
        reused: result.reused,
      };
    },
  };
}

/** A stage of the run, and where it is to run. @throws RetrainError CONFIG_INVALID for a spec without the image's digest */
function job(
  stage: ComputeStageName,
  { params, images, forceId }: RunSpec,
  code: StageCode,
  mlflowRunId: string | undefined,
): Omit<StageJob, 'inputs'> {
  const placed = { work: computeStage(stage, params, code, images), afresh: forceId !== undefined };
  const options = containerOptions(params[stage]);
  if (options === undefined) return placed;
  const digest = images?.[stage];
  if (digest === undefined) {
    throw new RetrainError(
      'CONFIG_INVALID',
      `spec.images has no digest for the image of ${stage}; leave spec out and let the worker fill it in`,
    );
  }
  return { ...placed, container: { options, digest }, mlflowRunId };
}
