import path from 'node:path';
import { type PipelineActivities } from '../contracts/activities';
import { RetrainError } from '../contracts/errors';
import { ARTIFACT, Evaluation, TableSchema } from '../contracts/stage';
import { type ContentStore } from '../integrations/dvc/content-store';
import { readJson } from './read-json';
import { StageRunner, output, type StageExecutor } from './stage-runner';

export interface ComputeDeps {
  /** The project's folder, absolute. */
  project: string;
  store: ContentStore;
  executor: StageExecutor;
  scratchDir: string;
  /** Of the stage code that this worker runs. */
  codeHash: string;
}

/**
 * preprocess, train, evaluate: functions of content, by way of `StageRunner`, which says how they are
 * idempotent.
 */
export function createComputeActivities(
  deps: ComputeDeps,
): Pick<PipelineActivities, 'preprocess' | 'train' | 'evaluate'> {
  const { project, store, codeHash } = deps;
  const runner = new StageRunner(store, deps.executor, deps.scratchDir);

  function requireSameCode(wanted: string): void {
    if (wanted === codeHash) return;
    throw new RetrainError(
      'CODE_MISMATCH',
      `the run was started for stage code ${wanted.slice(0, 12)}, but this worker runs ${codeHash.slice(0, 12)}; build client and worker from the same commit, restart the worker, and start again`,
    );
  }

  return {
    /** Stores the data first, under the hash that the run was started for, and works on the stored copy only. */
    async preprocess({ spec }) {
      requireSameCode(spec.codeHash);
      const { params, data } = spec;
      const stored = await store.put(path.resolve(project, data.path), ARTIFACT.data, {
        expect: { sha256: data.sha256 },
      });
      const result = await runner.run({
        stage: 'preprocess',
        inputs: { [ARTIFACT.data]: stored },
        params: { data: params.data, preprocess: params.preprocess, task: params.task },
        outputs: [ARTIFACT.train, ARTIFACT.test, ARTIFACT.schema],
      });
      const schema = output(result, ARTIFACT.schema);
      const { rows } = TableSchema.parse(await readJson(store, schema));
      return { train: output(result, ARTIFACT.train), test: output(result, ARTIFACT.test), schema, rows };
    },

    async train({ spec, train, schema }) {
      requireSameCode(spec.codeHash);
      const result = await runner.run({
        stage: 'train',
        inputs: { [ARTIFACT.train]: train, [ARTIFACT.schema]: schema },
        params: { train: spec.params.train, task: spec.params.task },
        outputs: [ARTIFACT.model],
      });
      return { model: output(result, ARTIFACT.model), metrics: result.metrics };
    },

    /** Scores candidate and champion on the same held-out rows. */
    async evaluate({ spec, test, schema, model, champion }) {
      requireSameCode(spec.codeHash);
      const result = await runner.run({
        stage: 'evaluate',
        inputs: {
          [ARTIFACT.test]: test,
          [ARTIFACT.schema]: schema,
          [ARTIFACT.model]: model,
          ...(champion === null ? {} : { [ARTIFACT.championModel]: champion.model }),
          ...(champion?.description == null ? {} : { [ARTIFACT.championDescription]: champion.description }),
        },
        params: { evaluate: spec.params.evaluate, task: spec.params.task },
        outputs: [ARTIFACT.evaluation],
      });
      const evaluation = output(result, ARTIFACT.evaluation);
      const scored = Evaluation.parse(await readJson(store, evaluation));
      return {
        evaluation,
        metrics: scored.candidate.metrics,
        championMetrics: scored.champion?.metrics ?? null,
        championError: scored.championError,
        rows: scored.rows,
      };
    },
  };
}
