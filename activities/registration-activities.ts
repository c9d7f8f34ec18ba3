import path from 'node:path';
import { Context } from '@temporalio/activity';
import {
  type PipelineActivities,
  type PromoteInput,
  type PromoteOutput,
  type RegisterInput,
} from '../contracts/activities';
import { RetrainError } from '../contracts/errors';
import { lineageOf, type Lineage } from '../contracts/lineage';
import { ALIAS, VERSION_TAG } from '../contracts/names';
import { ARTIFACT, Evaluation, TableSchema, type Artifact } from '../contracts/stage';
import { promotionMetric } from '../contracts/task-metrics';
import { checkGate } from '../ml/gate/check-gate';
import { decidePromotion, type PromotionDecision } from '../ml/gate/decide-promotion';
import { type ContentStore } from '../integrations/dvc/content-store';
import { type Mlflow } from '../integrations/mlflow/client';
import {
  type ModelFile,
  MODEL_PATH,
  modelDirectory,
  modelHistoryTag,
} from '../integrations/mlflow/model-directory';
import { modelMetadata } from '../integrations/mlflow/model-metadata';
import { type Origin } from '../integrations/signing/provenance';
import { withHeartbeat } from './heartbeat';
import { type SigningKey, withPassport } from './model-package';
import { readBytes, readJson } from './read-json';

export interface RegistrationDeps {
  mlflow: Mlflow;
  store: ContentStore;
  /** Null: models are not signed. */
  signingKey: SigningKey | null;
  scratchDir: string;
  /** Of retrain. */
  version: string;
}

/** From a scored candidate to a registered version, and from there to an alias. */
export function createRegistrationActivities({
  mlflow,
  store,
  signingKey,
  scratchDir,
  version,
}: RegistrationDeps): Pick<PipelineActivities, 'register' | 'promote'> {
  return {
    /**
     * Logs metrics, uploads the model directory, and makes the version: what is pointed to comes before what
     * points to it. Idempotent: metrics carry the time at which the activity was first scheduled, uploads replace
     * themselves, and a run has one version, which is looked up before it is made.
     */
    async register(input) {
      const { spec, mlflowRunId, evaluated } = input;
      const artifact = (name: string): Artifact => made(input, name);
      const lineage = lineageOf(spec);
      const { scheduledTimestampMs: at, activityId, attempt } = Context.current().info;
      return withHeartbeat(async (signal, onProgress) => {
        const [run, table, onnx, evaluation] = await Promise.all([
          mlflow.runs.get(mlflowRunId, signal),
          readJson(store, artifact(ARTIFACT.schema)).then((json) => TableSchema.parse(json)),
          readBytes(store, artifact(ARTIFACT.model)),
          readBytes(store, artifact(ARTIFACT.evaluation)),
        ]);
        const described = { runId: mlflowRunId, createdAt: at, schema: table, onnx };
        const gate = checkGate(spec.params.gate, evaluated.candidateMetrics);
        const metadata = modelMetadata({
          modelType: spec.params.train.algorithm,
          trainedAt: at,
          runId: mlflowRunId,
          experimentId: input.mlflowExperimentId,
          metrics: evaluated.candidateMetrics,
          thresholds: thresholdsOf(Evaluation.parse(JSON.parse(evaluation.toString('utf8')))),
          schema: table,
          model: artifact(ARTIFACT.model),
          lineage,
          data: spec.data,
        });
        const packaged = await withPassport(
          modelDirectory(described),
          originOf(input, at, version),
          signingKey,
          path.join(scratchDir, `${mlflowRunId}-${activityId}-${attempt}`),
        );
        const files = [
          { path: 'evaluation.json', bytes: evaluation },
          metadata,
          ...packaged.map((file) => ({ ...file, path: `${MODEL_PATH}/${file.path}` })),
        ];
        onProgress({ phase: 'uploading', done: 0, total: files.length });
        // MLmodel is the sign that the directory is whole; the rest is independent of each other.
        const [last, ...rest] = [...files].reverse();
        await Promise.all(rest.map((file) => upload(mlflow, run.artifactUri, file, signal)));
        onProgress({ phase: 'uploading MLmodel', done: rest.length, total: files.length });
        if (last !== undefined) await upload(mlflow, run.artifactUri, last, signal);
        await mlflow.runs.log(
          mlflowRunId,
          { metrics: evaluated.candidateMetrics, tags: modelHistoryTag(described), at },
          signal,
        );
        const registered = await mlflow.registry.findOrCreateVersion(
          {
            name: spec.params.model,
            runId: mlflowRunId,
            source: `runs:/${mlflowRunId}/${MODEL_PATH}`,
            tags: {
              ...lineageTags(lineage),
              [VERSION_TAG.gatePassed]: String(gate.every(({ passed }) => passed)),
              ...(evaluated.candidateMetrics['accuracy'] === undefined
                ? {}
                : { [VERSION_TAG.testAccuracy]: String(evaluated.candidateMetrics['accuracy']) }),
            },
          },
          signal,
        );
        return {
          modelVersion: registered.version,
          metadata: await store.putBytes(metadata.bytes, metadata.path),
        };
      });
    },

    /**
     * Moves the aliases as the comparison says. Idempotent: `production` moves last, so an attempt that finds the
     * candidate there has nothing left to do, and one that does not repeats steps that change nothing twice.
     *
     * MLflow has no compare-and-swap: between the look at the alias and its move another writer may move it.
     */
    async promote(input): Promise<PromoteOutput> {
      return withHeartbeat(async (signal) => {
        const { model } = input.spec.params;
        const current = (await mlflow.registry.findByAlias(model, ALIAS.production, signal))?.version ?? null;
        const done = current === input.modelVersion;
        if (!done && current !== input.championVersion) return { stale: true, championVersion: current };
        const decision = decide(input);
        if (!done) await carryOut(mlflow, input, decision, signal);
        const gate = checkGate(input.spec.params.gate, input.evaluated.candidateMetrics);
        return { stale: false, ...decision, gate };
      });
    },
  };
}

async function upload(
  mlflow: Mlflow,
  root: string,
  { path: name, bytes }: ModelFile,
  signal: AbortSignal,
): Promise<void> {
  await mlflow.artifacts.uploadBytes(root, name, bytes, signal);
}

/** What a stage made. @throws RetrainError STAGE_FAILED when none made it */
function made({ artifacts }: RegisterInput, name: string): Artifact {
  const artifact = artifacts[name];
  if (artifact === undefined) throw new RetrainError('STAGE_FAILED', `no stage left out/${name}`);
  return artifact;
}

/** Where a version comes from, as its tags. */
function lineageTags({ dataHash, pipelineKey, gitCommit }: Lineage): Record<string, string> {
  return {
    [VERSION_TAG.dataHash]: dataHash,
    [VERSION_TAG.pipelineKey]: pipelineKey,
    ...(gitCommit === '' ? {} : { [VERSION_TAG.gitCommit]: gitCommit }),
  };
}

/** Where the model comes from, for its provenance. */
function originOf(input: RegisterInput, at: number, version: string): Origin {
  const { spec, workflowId, workflowRunId, mlflowRunId, mlflowExperimentId, startedAt } = input;
  return {
    params: spec.params,
    paramsHash: spec.paramsHash,
    data: spec.data,
    codeHash: spec.codeHash,
    pipelineKey: spec.pipelineKey,
    git: spec.git,
    ...(spec.images === undefined ? {} : { images: spec.images }),
    workflowId,
    workflowRunId,
    mlflowRunId,
    mlflowExperimentId,
    startedAt,
    version,
    finishedAt: new Date(at).toISOString(),
  };
}

function thresholdsOf({ positive, threshold }: Evaluation): Record<string, number> {
  return positive === undefined || threshold === undefined ? {} : { [positive]: threshold.threshold };
}

function decide({ spec, championVersion, evaluated }: PromoteInput): PromotionDecision {
  const { gate, promote } = spec.params;
  return decidePromotion({
    candidate: evaluated.candidateMetrics,
    champion:
      championVersion === null
        ? null
        : { version: championVersion, metrics: evaluated.championMetrics, error: evaluated.championError },
    metric: promotionMetric(spec.params),
    minImprovement: promote.min_improvement,
    gate,
    rows: evaluated.rows,
  });
}

async function carryOut(
  mlflow: Mlflow,
  { spec, modelVersion, championVersion }: PromoteInput,
  { outcome, alias, reason }: PromotionDecision,
  signal: AbortSignal,
): Promise<void> {
  const { registry } = mlflow;
  const { model, promote } = spec.params;
  await registry.setVersionTags(
    model,
    modelVersion,
    {
      [VERSION_TAG.promoted]: String(outcome === 'promoted'),
      [VERSION_TAG.promotionReason]: reason,
    },
    signal,
  );
  if (alias === null) return;
  if (promote.legacy_stages) {
    await registry.transitionStage(
      model,
      modelVersion,
      alias === ALIAS.production ? 'Production' : 'Staging',
      signal,
    );
  }
  if (alias === ALIAS.production && championVersion !== null) {
    await registry.setAlias(model, ALIAS.previous, championVersion, signal);
  }
  await registry.setAlias(model, alias, modelVersion, signal);
}
