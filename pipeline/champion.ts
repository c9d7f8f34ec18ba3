import { rm } from 'node:fs/promises';
import { type Champion } from '../contracts/activities';
import { RetrainError } from '../contracts/errors';
import { ALIAS } from '../contracts/names';
import { ARTIFACT, type Artifact } from '../contracts/stage';
import { type ContentStore } from '../integrations/dvc/content-store';
import { type Mlflow } from '../integrations/mlflow/client';
import { type DescribedModel, describeModel } from '../integrations/mlflow/model-description';
import { type ModelVersion } from '../integrations/mlflow/registry-record';
import { championSeenRows } from './champion-seen-rows';
import { byName } from './stage';

/** Checks a version before it is used. @returns SHA-256 of its model.onnx, null when it has none @throws RetrainError VERIFICATION_FAILED */
export type Verify = (version: ModelVersion) => Promise<string | null>;

/** The file that says that a model directory is whole, and what it is. */
const MLMODEL = 'MLmodel';

/** Thousands of columns fit; more is no description. */
const MAX_MLMODEL_BYTES = 8 * 2 ** 20;

/**
 * The production version of a model, with its files in the store. A version that cannot be scored, as its files are gone or another
 * program registered it without model.onnx, is a champion all the same: `error` says why. The registry is other people's, and what
 * is in it never fails a run. A model whose bytes the store has is not fetched again.
 *
 * @param verify looks at it first; what it refuses cannot be scored
 * @throws RetrainError when MLflow does not answer
 */
export async function fetchChampion(
  mlflow: Mlflow,
  store: ContentStore,
  model: string,
  signal: AbortSignal,
  verify?: Verify,
): Promise<Champion | null> {
  const version = await mlflow.registry.findByAlias(model, ALIAS.production, signal);
  if (version === null) return null;
  try {
    const verified = await verify?.(version);
    const artifacts = byName(await files(mlflow, store, version, signal));
    if (verified !== undefined) requireVerified(artifacts[ARTIFACT.championModel], verified);
    return { version: version.version, artifacts };
  } catch (error) {
    return { version: version.version, artifacts: {}, error: whyUnscorable(error) };
  }
}

/** What was checked a moment ago must be what is scored. @throws RetrainError VERIFICATION_FAILED */
function requireVerified(model: Artifact | undefined, sha256: string | null): void {
  if (model?.sha256 === sha256) return;
  throw new RetrainError('VERIFICATION_FAILED', 'its model.onnx is not the one that was checked');
}

/** A champion that cannot be scored, by the error of the look at it; anything else is thrown again. */
export function whyUnscorable(error: unknown): string {
  if (error instanceof RetrainError && UNSCORABLE.has(error.code)) return error.message;
  throw error;
}

const UNSCORABLE: ReadonlySet<string> = new Set([
  'NOT_FOUND',
  'MODEL_INVALID',
  'CONFIG_INVALID',
  'VERIFICATION_FAILED',
]);

/**
 * Looks at the files of a version: a listing and its MLmodel.
 *
 * @throws RetrainError NOT_FOUND, MODEL_INVALID, CONFIG_INVALID when it cannot be scored: see `whyUnscorable`
 */
export async function lookAtModel(
  mlflow: Mlflow,
  { source }: Pick<ModelVersion, 'source'>,
  signal?: AbortSignal,
): Promise<DescribedModel & { root: string }> {
  const root = await mlflow.resolveSource(source, signal);
  const entries = await mlflow.artifacts.list(root, '', signal);
  const names = entries.map(({ path }) => path);
  if (!names.includes(MLMODEL) || !names.includes(ARTIFACT.model)) throw incomplete(names, root);
  const size = entries.find(({ path }) => path === MLMODEL)?.sizeBytes ?? 0;
  if (size > MAX_MLMODEL_BYTES) throw new RetrainError('MODEL_INVALID', `its MLmodel has ${size} bytes`);
  return { root, ...describeModel(await mlflow.artifacts.downloadBytes(root, MLMODEL, signal)) };
}

async function files(
  mlflow: Mlflow,
  store: ContentStore,
  version: ModelVersion,
  signal: AbortSignal,
): Promise<Artifact[]> {
  const { root, content, description } = await lookAtModel(mlflow, version, signal);
  const [model, seenRows] = await Promise.all([
    onnx(mlflow, store, root, content, signal),
    championSeenRows(mlflow, store, version, signal),
  ]);
  return [
    model,
    ...(description === null
      ? []
      : [await store.putBytes(JSON.stringify(description), ARTIFACT.championDescription)]),
    ...(seenRows === null ? [] : [seenRows]),
  ];
}

function incomplete(names: readonly string[], root: string): RetrainError {
  if (names.length === 0) {
    return new RetrainError(
      'NOT_FOUND',
      `its files are gone from ${root}; restore them there, or register it again`,
    );
  }
  const other = names.includes(MLMODEL) ? 'another program registered it, and ' : '';
  const missing = [MLMODEL, ARTIFACT.model].filter((name) => !names.includes(name));
  return new RetrainError('MODEL_INVALID', `${other}it has no ${missing.join(' and no ')}`);
}

/** model.onnx in the store, streamed, unless MLmodel names content that is there already. */
async function onnx(
  mlflow: Mlflow,
  store: ContentStore,
  root: string,
  content: Omit<Artifact, 'name'> | null,
  signal: AbortSignal,
): Promise<Artifact> {
  if (content !== null && (await store.has(content))) return { name: ARTIFACT.championModel, ...content };
  const file = await store.objects.staging.newPath();
  try {
    await mlflow.artifacts.downloadFile(root, ARTIFACT.model, file, signal);
    return await store.putOwned(file, ARTIFACT.championModel, { signal });
  } finally {
    await rm(file, { force: true });
  }
}
