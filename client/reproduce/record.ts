import { z } from 'zod';
import { RetrainError } from '../../contracts/errors';
import { RUN_TAG } from '../../contracts/names';
import { type Params } from '../../contracts/params';
import { ARTIFACT, type Metrics } from '../../contracts/stage';
import { type Mlflow } from '../../integrations/mlflow/client';
import {
  findRegisteredRun,
  recordedData,
  type ModelReference,
  type RecordedData,
} from '../../integrations/mlflow/registered-run';
import { recordedParams } from '../../integrations/mlflow/recorded-params';
import { PROVENANCE_FILE } from '../../integrations/signing/provenance';
import { digestBytes } from '../../ml/hashing/digest';

/** The changes that were not committed when a run was trained, among its artifacts. */
const PATCH = 'git.patch';

/** All that the registry says of how a model version came to be. */
export interface Recorded {
  model: string;
  version: string;
  aliases: string[];
  mlflowRunId: string;
  params: Params;
  /** Relative to the project. */
  paramsPath: string;
  data: RecordedData;
  /** Empty strings: it was not trained in a git repository. */
  git: { commit: string; branch: string; dirty: boolean };
  codeHash: string;
  /** Digest of the image of each container stage. */
  images: Record<string, string>;
  metrics: Metrics;
  /** SHA-256 by name of what the stages made, as far as it was recorded. */
  artifacts: Record<string, string>;
}

/** @throws RetrainError NOT_FOUND when there is no such version, or retrain did not make it */
export async function readRecord(
  mlflow: Mlflow,
  reference: ModelReference,
  signal: AbortSignal,
): Promise<Recorded> {
  const { version, run } = await findRegisteredRun(mlflow, reference, signal);
  const source = await mlflow.resolveSource(version.source, signal);
  const { tags } = run;
  return {
    model: version.name,
    version: version.version,
    aliases: version.aliases,
    mlflowRunId: run.runId,
    data: recordedData(run),
    params: recordedParams(run, await provenanceParams(mlflow, source, signal)),
    paramsPath: tags['mlflow.source.name'] ?? 'params.yaml',
    git: {
      commit: tags[RUN_TAG.gitCommit] ?? '',
      branch: tags['mlflow.source.git.branch'] ?? '',
      dirty: tags[RUN_TAG.gitDirty] === 'true',
    },
    codeHash: tags[RUN_TAG.codeHash] ?? '',
    images: below(tags, RUN_TAG.imageDigest),
    metrics: run.metrics,
    artifacts: below(tags, RUN_TAG.artifactSha256),
  };
}

/** SHA-256 of the model as it is registered. */
export async function registeredModelHash(
  mlflow: Mlflow,
  { model, version }: Recorded,
  signal: AbortSignal,
): Promise<string> {
  const source = await mlflow.resolveSource(`models:/${model}/${version}`, signal);
  return digestBytes(await mlflow.artifacts.downloadBytes(source, ARTIFACT.model, signal)).sha256;
}

/** The uncommitted changes of the run; null when it has none among its artifacts. */
export async function recordedPatch(
  mlflow: Mlflow,
  { mlflowRunId }: Recorded,
  signal: AbortSignal,
): Promise<Uint8Array | null> {
  const { artifactUri } = await mlflow.runs.get(mlflowRunId, signal);
  return ifThere(() => mlflow.artifacts.downloadBytes(artifactUri, PATCH, signal));
}

const Provenance = z.object({
  predicate: z.object({
    buildDefinition: z.object({ externalParameters: z.object({ params: z.unknown() }) }),
  }),
});

async function provenanceParams(mlflow: Mlflow, source: string, signal: AbortSignal): Promise<unknown> {
  const bytes = await ifThere(() => mlflow.artifacts.downloadBytes(source, PROVENANCE_FILE, signal));
  if (bytes === null) return undefined;
  try {
    const parsed = Provenance.parse(JSON.parse(Buffer.from(bytes).toString('utf8')));
    return parsed.predicate.buildDefinition.externalParameters.params;
  } catch {
    // Damaged, or of another format: the run itself has the params, too.
    return undefined;
  }
}

async function ifThere<T>(read: () => Promise<T>): Promise<T | null> {
  try {
    return await read();
  } catch (error) {
    if (error instanceof RetrainError && error.code === 'NOT_FOUND') return null;
    throw error;
  }
}

/** `{prefix.a: 1}` as `{a: 1}` */
function below(tags: Readonly<Record<string, string>>, prefix: string): Record<string, string> {
  return Object.fromEntries(
    Object.entries(tags)
      .filter(([key]) => key.startsWith(`${prefix}.`))
      .map(([key, value]) => [key.slice(prefix.length + 1), value]),
  );
}
