import { rm } from 'node:fs/promises';
import path from 'node:path';
import { type RegisterInput, type RegisterOutput } from '../contracts/activities';
import { RetrainError } from '../contracts/errors';
import { dataHashOf, lineageOf, type Lineage } from '../contracts/lineage';
import { RUN_TAG, VERSION_TAG } from '../contracts/names';
import { ARTIFACT, Evaluation, TableSchema, TrainingNotes, type Artifact } from '../contracts/stage';
import { type SignalRule } from '../contracts/signal';
import { isDetail } from '../contracts/task-metrics';
import { type ContentStore } from '../integrations/dvc/content-store';
import { below } from '../integrations/mlflow/artifact-path';
import { type Mlflow } from '../integrations/mlflow/client';
import {
  type ModelFile,
  MODEL_PATH,
  modelDirectory,
  modelHistoryTag,
} from '../integrations/mlflow/model-directory';
import { modelMetadata } from '../integrations/mlflow/model-metadata';
import { type Origin } from '../integrations/signing/provenance';
import { type ReadingRules } from '../ml/dataset/csv-format';
import { backtestMetrics, backtestPoints } from '../ml/backtest/summary';
import { readOnnxInterfaceOf } from '../ml/onnx/read-interface';
import { addPassport, layOutModel, type SigningKey } from './model-package';
import { readJson, storedFile } from './read-json';
import { dataWarnings, warningsTag } from './warnings';

export interface RegisterDeps {
  mlflow: Mlflow;
  store: ContentStore;
  /** Null: models are not signed. */
  signingKey: SigningKey | null;
  /** Of retrain. */
  version: string;
}

/** Of the activity: when it was first scheduled, epoch ms, and a folder of this attempt alone. */
export interface Attempt {
  at: number;
  scratch: string;
}

const LAST = 'MLmodel';

/**
 * From a scored candidate to a registered version. In order: the logged model, all files but those that name the version, the
 * version, provenance and signature, which name it, and MLmodel last of all: a directory that has it is whole, and no alias
 * points to a version before. Files are streamed from disk.
 *
 * Idempotent: uploads replace themselves, metrics carry the time of the first attempt, and a run has one logged model and one version,
 * each looked up before it is made. The folder of an attempt goes with it.
 */
export async function registerModel(
  deps: RegisterDeps,
  input: RegisterInput,
  { at, scratch }: Attempt,
  { signal, onProgress }: { signal: AbortSignal; onProgress: (done: number, total: number) => void },
): Promise<RegisterOutput> {
  const { mlflow, store } = deps;
  const { spec, mlflowRunId, evaluated } = input;
  const model = made(input, ARTIFACT.model);
  const evaluation = made(input, ARTIFACT.evaluation);
  const [schema, scored, onnx, warnings, training] = await Promise.all([
    readJson(store, made(input, ARTIFACT.schema)).then((json) => TableSchema.parse(json)),
    readJson(store, evaluation).then((json) => Evaluation.parse(json)),
    storedFile(store, model),
    dataWarnings(store, input.artifacts),
    trainingNotes(store, input),
  ]);
  const { backtest } = training;
  const warned = warnedTag(warningsTag(warnings, evaluated.noBetter ?? null));
  const logged = await mlflow.loggedModels.ensure(
    {
      experimentId: input.mlflowExperimentId,
      runId: mlflowRunId,
      name: MODEL_PATH,
      modelType: spec.params.train.algorithm,
      tags: { [VERSION_TAG.pipelineKey]: spec.pipelineKey },
    },
    signal,
  );
  const runRoot = input.mlflowArtifactUri ?? (await mlflow.runs.get(mlflowRunId, signal)).artifactUri;
  const root = logged?.artifactUri ?? below(runRoot, MODEL_PATH);
  const { sha256, md5, sizeBytes } = model;
  const described = {
    ...{ schema, graph: readOnnxInterfaceOf(onnx), content: { sha256, md5, sizeBytes } },
    ...{ runId: mlflowRunId, modelId: logged?.modelId, createdAt: at, thresholds: thresholdsOf(scored) },
    ...{ signal: ruleOf(scored), data: writtenAs(spec.params.data) },
  };
  const metadata = metadataOf(input, schema, scored, at);
  const dir = path.join(scratch, MODEL_PATH);
  try {
    const files = modelDirectory(described);
    await layOutModel(dir, files, store, model);
    const upload = (name: string): Promise<void> =>
      mlflow.artifacts.uploadFile(root, name, path.join(dir, name), signal);
    const names = [ARTIFACT.model, ...files.map((file) => file.path)].filter((name) => name !== LAST);
    const seenRows = input.artifacts[ARTIFACT.seenRows];
    const schemaFile = made(input, ARTIFACT.schema);
    const total = names.length + 4;
    onProgress(0, total);
    await Promise.all([
      ...names.map(upload),
      mlflow.artifacts.uploadFile(runRoot, 'evaluation.json', store.pathOf(evaluation.md5), signal),
      mlflow.artifacts.uploadFile(runRoot, schemaFile.name, store.pathOf(schemaFile.md5), signal),
      mlflow.artifacts.uploadBytes(runRoot, metadata.path, metadata.bytes, signal),
      ...(seenRows === undefined
        ? []
        : [mlflow.artifacts.uploadFile(runRoot, seenRows.name, store.pathOf(seenRows.md5), signal)]),
    ]);
    const { version } = await mlflow.registry.findOrCreateVersion(
      {
        name: spec.params.model,
        runId: mlflowRunId,
        modelId: logged?.modelId,
        source: logged === null ? root : `models:/${logged.modelId}`,
        description: descriptionOf(input),
        tags: { ...versionTags(input), ...warned },
      },
      signal,
    );
    onProgress(names.length + 1, total);
    const passport = await addPassport(dir, originOf(input, version, at, deps.version), deps.signingKey);
    await Promise.all(passport.map(upload));
    await upload(LAST);
    if (logged !== null) await mlflow.loggedModels.finish(logged, mlflowRunId, signal);
    await mlflow.runs.log(
      mlflowRunId,
      {
        metrics: {
          ...evaluated.candidateMetrics,
          ...(backtest === undefined ? {} : backtestMetrics(backtest)),
        },
        ...(backtest === undefined ? {} : { points: backtestPoints(backtest) }),
        tags: {
          ...warned,
          ...(logged === null ? modelHistoryTag(described) : {}),
          ...(seenRows === undefined
            ? {}
            : { [`${RUN_TAG.artifactSha256}.${seenRows.name}`]: seenRows.sha256 }),
        },
        modelId: logged?.modelId,
        at,
      },
      signal,
    );
    return { modelVersion: version, metadata: await store.putBytes(metadata.bytes, metadata.path) };
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

/** What a stage made. @throws RetrainError STAGE_FAILED when none made it */
function made({ artifacts }: RegisterInput, name: string): Artifact {
  const artifact = artifacts[name];
  if (artifact === undefined) throw new RetrainError('STAGE_FAILED', `no stage left out/${name}`);
  return artifact;
}

/** What the training told beside the model; nothing where a stage of one's own tells none, or in words of its own. */
async function trainingNotes(store: ContentStore, { artifacts }: RegisterInput): Promise<TrainingNotes> {
  const notes = artifacts[ARTIFACT.training];
  return notes === undefined ? {} : (TrainingNotes.safeParse(await readJson(store, notes)).data ?? {});
}

function metadataOf(input: RegisterInput, schema: TableSchema, scored: Evaluation, at: number): ModelFile {
  const { spec, mlflowRunId, mlflowExperimentId, evaluated } = input;
  return modelMetadata({
    modelType: spec.params.train.algorithm,
    trainedAt: at,
    runId: mlflowRunId,
    experimentId: mlflowExperimentId,
    metrics: evaluated.candidateMetrics,
    thresholds: thresholdsOf(scored),
    signal: ruleOf(scored),
    schema,
    model: made(input, ARTIFACT.model),
    lineage: lineageOf(spec),
    data: spec.data,
  });
}

/** How the tables are written, where the params say so. */
function writtenAs({ csv, missing }: RegisterInput['spec']['params']['data']): ReadingRules | undefined {
  if (csv === undefined && missing === undefined) return undefined;
  return { ...(csv === undefined ? {} : { csv }), ...(missing === undefined ? {} : { missing }) };
}

/** One line for MLflow's page of the version. */
function descriptionOf({ spec, evaluated }: RegisterInput): string {
  const { train, data } = spec.params;
  const metrics = Object.entries(evaluated.candidateMetrics)
    .filter(([name]) => !isDetail(name))
    .slice(0, 3)
    .map(([name, value]) => `${name} ${Number(value.toPrecision(4))}`);
  const commit = spec.git.commit === '' ? '' : `, commit ${spec.git.commit.slice(0, 12)}`;
  return `${train.algorithm} for ${data.target}, trained on ${data.path} (${dataHashOf(spec).slice(0, 12)})${commit}: ${metrics.join(', ')} on ${evaluated.rows} held-out rows.`;
}

function versionTags({ spec, evaluated, artifacts }: RegisterInput): Record<string, string> {
  const metrics = evaluated.candidateMetrics;
  const seenRows = artifacts[ARTIFACT.seenRows];
  return {
    ...lineageTags(lineageOf(spec)),
    ...(seenRows === undefined ? {} : { [VERSION_TAG.seenRows]: seenRows.sha256 }),
    ...(metrics['accuracy'] === undefined ? {} : { [VERSION_TAG.testAccuracy]: String(metrics['accuracy']) }),
  };
}

const warnedTag = (text: string | undefined): Record<string, string> =>
  text === undefined ? {} : { [RUN_TAG.warnings]: text };

/** Where a version comes from, as its tags. */
function lineageTags({ dataHash, pipelineKey, gitCommit }: Lineage): Record<string, string> {
  return {
    [VERSION_TAG.dataHash]: dataHash,
    [VERSION_TAG.pipelineKey]: pipelineKey,
    ...(gitCommit === '' ? {} : { [VERSION_TAG.gitCommit]: gitCommit }),
  };
}

/** Where the model comes from, for its provenance. */
function originOf(input: RegisterInput, modelVersion: string, at: number, version: string): Origin {
  const { spec, workflowId, workflowRunId, mlflowRunId, mlflowExperimentId, startedAt } = input;
  const seenRows = input.artifacts[ARTIFACT.seenRows];
  return {
    model: spec.params.model,
    modelVersion,
    params: spec.params,
    paramsHash: spec.paramsHash,
    data: spec.data,
    extra: spec.extra,
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
    ...(seenRows === undefined ? {} : { byproducts: [{ name: seenRows.name, sha256: seenRows.sha256 }] }),
    finishedAt: new Date(at).toISOString(),
  };
}

/** The rule alone, without what it came to. */
function ruleOf({ signal }: Evaluation): SignalRule | undefined {
  return signal === undefined ? undefined : { from: signal.from, buy: signal.buy, sell: signal.sell };
}

function thresholdsOf({ positive, threshold }: Evaluation): Record<string, number> {
  return positive === undefined || threshold === undefined ? {} : { [positive]: threshold.threshold };
}
