import { RetrainError } from '../../contracts/errors';
import { ALIAS, RUN_TAG } from '../../contracts/names';
import { extraArtifact } from '../../contracts/data-params';
import { type Params } from '../../contracts/params';
import { ARTIFACT, type Artifact } from '../../contracts/stage';
import { type MlflowRun } from '../../integrations/mlflow/run-record';
import { recordedParams } from '../../integrations/mlflow/recorded-params';
import { recordedData, type RecordedTable } from '../../integrations/mlflow/registered-run';
import { type ModelVersion } from '../../integrations/mlflow/registry-record';
import { type ProvenanceStatement } from '../../integrations/signing/provenance';
import { computeStage } from '../../pipeline/compute-stage';
import { knownOutputs } from '../../pipeline/results/known-output';
import { StageCache } from '../../pipeline/results/stage-cache';
import { questionOf, type StageQuestion } from '../../pipeline/results/stage-question';
import { StageResults } from '../../pipeline/results/stage-results';
import { byName } from '../../pipeline/stage';
import { type DriftDeps } from './drift-question';

/** What preprocess made for a model version. */
export interface TrainingRows {
  train: Artifact;
  /** Null: it is no longer there. */
  test: Artifact | null;
  schema: Artifact | null;
  /** When each of the training rows was; without rows where no time orders them. */
  times: Artifact | null;
  /** As the run recorded them; null: they cannot be put together again. */
  params: Params | null;
}

/**
 * Finds the rows that a version was trained on, by the hash that its run is tagged with: in the content store, else on the remote.
 *
 * @param provenance of the model's files; null: they have none
 * @throws RetrainError NOT_FOUND for a version that retrain did not make; ARTIFACT_MISSING when nobody has the rows
 */
export async function trainingRows(
  { project, store, remote }: DriftDeps,
  { name, version }: Pick<ModelVersion, 'name' | 'version'>,
  run: MlflowRun,
  provenance: ProvenanceStatement | null,
  signal: AbortSignal,
): Promise<TrainingRows> {
  const sha256 = trainingHash(name, version, run);
  const params = paramsOf(run, provenance);
  const question = params === null ? null : preprocessQuestion(run, params);
  const isIt = (outputs: readonly Artifact[] | undefined): boolean =>
    outputs?.some((output) => output.name === ARTIFACT.train && output.sha256 === sha256) === true;
  const rowsOf = (outputs: readonly Artifact[]): TrainingRows => {
    const known = byName(outputs);
    const { [ARTIFACT.train]: train, [ARTIFACT.test]: test, [ARTIFACT.schema]: schema } = known;
    const times = known[ARTIFACT.trainTimes] ?? null;
    return { train: train!, test: test ?? null, schema: schema ?? null, times, params };
  };
  if (question !== null) {
    const here = await new StageResults(store, { project }).find(question, signal);
    if (here !== null && isIt(here.outputs)) return rowsOf(here.outputs);
  }
  const outputs = await knownOutputs(store, { name: ARTIFACT.train, sha256 });
  if (outputs !== null) return rowsOf(outputs);
  const opened = question === null ? null : await remote();
  if (question !== null && opened !== null) {
    try {
      const fetched = await new StageCache(store).fetch(question.key, opened.storage, { signal });
      if (fetched !== null && isIt(fetched.outputs)) return rowsOf(fetched.outputs);
    } finally {
      opened.storage.close();
    }
  }
  throw new RetrainError(
    'ARTIFACT_MISSING',
    `the rows that ${name} v${version} was trained on (${ARTIFACT.train}, SHA-256 ${sha256.slice(0, 12)}) are neither in the content store nor ${opened === null ? 'is there a remote to fetch them from' : `on ${opened.name}`}; push them where it was trained (retrain data push), or make them again here: retrain evaluate ${name}@${version}`,
  );
}

/** @throws RetrainError NOT_FOUND */
export function trainingHash(name: string, version: string, run: MlflowRun): string {
  const sha256 = run.tags[`${RUN_TAG.artifactSha256}.${ARTIFACT.train}`];
  if (sha256 !== undefined && /^[0-9a-f]{64}$/.test(sha256)) return sha256;
  throw new RetrainError(
    'NOT_FOUND',
    `${name} v${version} has nothing to hold rows of now against: its MLflow run ${run.runId} does not say which rows it was trained on (tag ${RUN_TAG.artifactSha256}.${ARTIFACT.train}), so retrain did not train it; train it with retrain start, or name another version, such as ${name}@${ALIAS.previous}`,
  );
}

function paramsOf(run: MlflowRun, provenance: ProvenanceStatement | null): Params | null {
  return ifRecorded(() =>
    recordedParams(run, provenance?.predicate.buildDefinition.externalParameters['params']),
  );
}

/** The question that the run's preprocess answered, by the code and images that it recorded; null: it did not record them. */
function preprocessQuestion(run: MlflowRun, params: Params): StageQuestion | null {
  const data = ifRecorded(() => recordedData(run));
  if (data === null) return null;
  const extra = Object.entries(data.extra ?? {}).map(([name, table]) => [extraArtifact(name), table]);
  const inputs = { [ARTIFACT.data]: data, ...(Object.fromEntries(extra) as Record<string, RecordedTable>) };
  const stages = { preprocess: run.tags[`${RUN_TAG.codeHash}.preprocess`] ?? '', train: '', evaluate: '' };
  const image = run.tags[`${RUN_TAG.imageDigest}.preprocess`];
  const images = image === undefined ? {} : { preprocess: image };
  return questionOf(computeStage('preprocess', params, { combined: '', stages }, images), inputs);
}

function ifRecorded<T>(read: () => T): T | null {
  try {
    return read();
  } catch (error) {
    if (error instanceof RetrainError) return null;
    throw error;
  }
}
