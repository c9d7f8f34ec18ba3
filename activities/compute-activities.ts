import { type ComputeInput, type ComputeOutput, type PipelineActivities } from '../contracts/activities';
import { dataInputs } from '../contracts/data-inputs';
import { declaredData } from '../contracts/data-params';
import { containerOptions } from '../contracts/container';
import { listed, RetrainError } from '../contracts/errors';
import { type RunSpec } from '../contracts/run';
import { ARTIFACT, Evaluation, TableSchema } from '../contracts/stage';
import { promotionMetric } from '../contracts/task-metrics';
import { noBetterThanBaseline } from '../ml/gate/beats-baseline';
import { metricsFor } from '../ml/gate/check-gate';
import { type ContentStore } from '../integrations/dvc/content-store';
import { bringInputs } from '../pipeline/bring-inputs';
import { type StageResults } from '../pipeline/results/stage-results';
import { dataInsideProject } from '../pipeline/run/inside-project';
import { runStage, type StageJob } from '../pipeline/run-stage';
import { computeStage } from '../pipeline/compute-stage';
import { byName, inputsOf, stageRow, type ComputeStageName } from '../pipeline/stage';
import { codeHashWith, type StageCode } from '../pipeline/stage-code';
import { withHeartbeat } from './heartbeat';
import { readJson } from './read-json';
import { requireRunnable } from './runnable-spec';
import { type StageExecutions } from './stage-executions';
import { dataWarnings, shownWarnings } from './warnings';

export interface ComputeDeps {
  /** The project's folder, absolute. */
  project: string;
  store: ContentStore;
  results: StageResults;
  executions: StageExecutions;
  /** The stage code that this worker runs. */
  code: StageCode;
  /** What the project's own command line seals specs with: see `startSecret`. */
  startSecret: string | null;
}

/** preprocess, train, evaluate: functions of content, by way of `runStage`, which says how they are idempotent. */
export function createComputeActivities({
  project,
  store,
  results,
  executions,
  code,
  startSecret,
}: ComputeDeps): Pick<PipelineActivities, 'preprocess' | 'train' | 'evaluate'> {
  async function compute(stage: ComputeStageName, input: ComputeInput): Promise<ComputeOutput> {
    const { spec, mlflowRunId } = input;
    // Whoever opens the run has looked the spec through.
    if (mlflowRunId === undefined) await requireRunnable(spec, project, startSecret);
    requireSameCode(code, spec);
    requireDeclaredData(spec);
    const job: StageJob = {
      work: computeStage(stage, spec.params, code, spec.images),
      inputs: inputsOf(
        stage,
        { ...input.artifacts, ...byName(dataInputs(spec).map(({ artifact }) => artifact)) },
        spec.params,
      ),
      afresh: spec.forceId !== undefined,
      ...(stage === 'preprocess' ? { bring: (signal) => bringData(spec, signal) } : {}),
    };
    const container = containerOf(stage, spec);
    const execution = executions.of(stage, container, mlflowRunId);
    const { outputs, metrics, reused } = await withHeartbeat((signal, onProgress) =>
      runStage({ store, results }, job, execution, { signal, onProgress }),
    );
    return { artifacts: byName(outputs), metrics, reused };
  }

  /** The stage reads the stored copy, under the hash that the run was started for. */
  async function bringData(spec: RunSpec, signal: AbortSignal): Promise<void> {
    const inputs = [];
    for (const { artifact, data, key } of dataInputs(spec)) {
      const shown = data.path;
      // The spec may come from whoever started the workflow.
      const file = await dataInsideProject(project, shown, spec.paramsPath, key);
      inputs.push({ artifact, file, shown });
    }
    return bringInputs(store, inputs, signal);
  }

  /**
   * A champion is whatever somebody registered: one that takes the stage's process with it cannot be scored, and fails no
   * run. If the candidate did it, it does it again without the champion.
   */
  async function evaluated(
    input: ComputeInput,
  ): Promise<{ output: ComputeOutput; championError: string | null }> {
    try {
      return { output: await compute('evaluate', input), championError: null };
    } catch (error) {
      if (input.artifacts[ARTIFACT.championModel] === undefined || !tookItsProcess(error)) throw error;
      const { takes } = stageRow('evaluate');
      const without = Object.fromEntries(
        Object.entries(input.artifacts).filter(([name]) => takes.includes(name)),
      );
      const output = await compute('evaluate', { ...input, artifacts: without });
      return { output, championError: `scoring it ended the stage: ${error.message}` };
    }
  }

  async function readOutput(output: ComputeOutput, name: string): Promise<unknown> {
    const artifact = output.artifacts[name];
    if (artifact === undefined) throw new RetrainError('STAGE_FAILED', `the stage left no out/${name}`);
    return readJson(store, artifact);
  }

  return {
    async preprocess(input) {
      const output = await compute('preprocess', input);
      const { rows } = TableSchema.parse(await readOutput(output, ARTIFACT.schema));
      const warnings = shownWarnings(await dataWarnings(store, output.artifacts));
      return { ...output, rows, ...(warnings.length === 0 ? {} : { warnings }) };
    },

    train: (input) => compute('train', input),

    /** Scores the candidate, and the champion on held-out rows that neither was trained on. */
    async evaluate(input) {
      const { output, championError } = await evaluated(input);
      const scored = Evaluation.parse(await readOutput(output, ARTIFACT.evaluation));
      return {
        ...output,
        candidateMetrics: metricsFor(input.spec.params.gate, scored.candidate),
        championMetrics: scored.champion?.metrics ?? null,
        championError: championError ?? scored.championError,
        noBetter: noBetterThanBaseline(scored, promotionMetric(input.spec.params)),
        rows: scored.rows,
      };
    },
  };
}

/** A spec that was made by hand could leave out a table that its params declare, or bring others. */
function requireDeclaredData(spec: RunSpec): void {
  const wanted = declaredData(spec.params.data).map(({ artifact, path }) => `${artifact}=${path}`);
  const given = dataInputs(spec).map(({ artifact, data }) => `${artifact.name}=${data.path}`);
  if (wanted.join('\n') === given.join('\n')) return;
  throw new RetrainError(
    'CONFIG_INVALID',
    `spec.data and spec.extra are ${listed(given)}, but its params declare ${listed(wanted)}; leave spec out and let the worker fill it in`,
  );
}

function requireSameCode(code: StageCode, { codeHash: wanted, images }: RunSpec): void {
  const codeHash = codeHashWith(code, images);
  if (wanted === codeHash) return;
  throw new RetrainError(
    'CODE_MISMATCH',
    `the run was started for stage code ${wanted.slice(0, 12)}, but this worker runs ${codeHash.slice(0, 12)}; build client and worker from the same commit, restart the worker, and start again`,
  );
}

/** The container of a stage, if it runs in one. @throws RetrainError CONFIG_INVALID for a spec without the image's digest */
function containerOf(
  stage: ComputeStageName,
  { params, images }: RunSpec,
): Parameters<StageExecutions['of']>[1] {
  const options = containerOptions(params[stage]);
  if (options === undefined) return null;
  const digest = images?.[stage];
  if (digest !== undefined) return { options, digest };
  throw new RetrainError(
    'CONFIG_INVALID',
    `spec.images has no digest for the image of ${stage}; leave spec out and let the worker fill it in`,
  );
}

/** Whether a stage in process was ended for its memory, or crashed. */
function tookItsProcess(error: unknown): error is RetrainError {
  if (!(error instanceof RetrainError)) return false;
  return (
    error.code === 'STAGE_OUT_OF_MEMORY' ||
    (error.code === 'STAGE_FAILED' && error.message.includes('its process ended'))
  );
}
