import { existsSync } from 'node:fs';
import path from 'node:path';
import { RetrainError } from '../../contracts/errors';
import { ALIAS } from '../../contracts/names';
import { BRIEF } from '../../integrations/mlflow/backoff';
import { createMlflow, type Mlflow } from '../../integrations/mlflow/client';
import { findVersion, type ModelReference } from '../../integrations/mlflow/registered-run';
import { type ModelVersion } from '../../integrations/mlflow/registry-record';
import { type ClaimedIdentity } from '../../integrations/signing/check-identity';
import { checkModel, type Signed } from '../../integrations/signing/check-model';
import { PROVENANCE_FILE, type ProvenanceStatement } from '../../integrations/signing/provenance';
import { SIGNATURE_FILE } from '../../integrations/signing/sign-model';
import { type ModelShelf } from '../../pipeline/model/fetch-model';
import { type KeptCopy, METADATA, ModelCopies } from './model-copies';
import { openModel } from './open-model';
import { type OpenOptions } from './open-options';
import { type ServedModel } from './served-model';

export interface CheckedOptions extends OpenOptions {
  /** In PEM. Null: signatures are not checked; given: a model must have a valid one. */
  publicKey: string | null;
  signal: AbortSignal;
}

/** A model directory that was checked, opened. */
export interface CheckedModel {
  model: ServedModel;
  /** Its directory, absolute; it does not change. */
  dir: string;
  /** `no`: it is not signed; `unchecked`: no key was given. */
  signature: Signed;
  /** What its files were held against; null: somebody else's model, which has none. */
  provenance: ProvenanceStatement | null;
}

/** A registered model, fetched, checked and opened. */
export interface RegisteredModel extends CheckedModel {
  name: string;
  version: string;
  /** Null: it came from no run. */
  mlflowRunId: string | null;
  /** False: MLflow did not answer, and this is what the reference last stood for. */
  fresh: boolean;
}

/**
 * Fetches a registered model, holds its files against their provenance and, with a key, its signature, and that it is the version that
 * the registry says; then opens it. Only what passed all of that becomes the local copy that is used while MLflow is away.
 *
 * @param shelf its folder is for these copies only
 * @throws RetrainError NOT_FOUND; MLFLOW_UNREACHABLE without a copy; VERIFICATION_FAILED; MODEL_INVALID; CONFIG_INVALID
 */
export async function fetchChecked(
  shelf: ModelShelf,
  reference: ModelReference,
  options: CheckedOptions,
): Promise<RegisteredModel> {
  const copies = new ModelCopies(shelf.dir);
  const mlflow = createMlflow(shelf.mlflow, { rule: BRIEF });
  try {
    const found = await servedVersion(mlflow, reference, options.signal);
    const { copy, opened } = await openBrought(copies, mlflow, found, options);
    await copies.keep(reference, copy);
    return { ...opened, fresh: true };
  } catch (error) {
    if (!isAway(error)) throw error;
    const copy = await copies.last(reference);
    if (copy !== null) return { ...(await openCopy(reference.model, copy, options)), fresh: false };
    throw new RetrainError(
      'MLFLOW_UNREACHABLE',
      `${error.message}; there is no copy of ${referenceText(reference)} here either: name a folder with the model instead`,
      { cause: error },
    );
  } finally {
    await mlflow.close();
  }
}

async function openBrought(
  copies: ModelCopies,
  mlflow: Mlflow,
  version: ModelVersion,
  options: CheckedOptions,
): Promise<{ copy: KeptCopy; opened: Omit<RegisteredModel, 'fresh'> }> {
  const copy = await copies.bring(mlflow, version, options.signal);
  try {
    return { copy, opened: await openCopy(version.name, copy, options) };
  } catch (error) {
    if (!(error instanceof RetrainError) || !BAD.has(error.code)) throw error;
    await copies.drop(copy);
    // What has lain here for a while may be damaged, where the registry's is whole.
    if (copy.brought) throw error;
    return openBrought(copies, mlflow, version, options);
  }
}

const BAD: ReadonlySet<string> = new Set(['VERIFICATION_FAILED', 'MODEL_INVALID', 'DATA_NOT_FOUND']);

/**
 * The version that a reference means now. In a registry where the model has no aliases at all, `production` is the version in the
 * deprecated stage Production.
 *
 * @throws RetrainError NOT_FOUND
 */
export async function servedVersion(
  mlflow: Mlflow,
  reference: ModelReference,
  signal?: AbortSignal,
): Promise<ModelVersion> {
  try {
    return await findVersion(mlflow, reference, signal);
  } catch (error) {
    const wanted = 'alias' in reference.by && reference.by.alias === ALIAS.production;
    if (!wanted || !(error instanceof RetrainError) || error.code !== 'NOT_FOUND') throw error;
    const known = await mlflow.registry.findModel(reference.model, signal);
    if (known === null || Object.keys(known.aliases).length > 0) throw error;
    const versions = await mlflow.registry.listVersions(reference.model, STAGED, signal);
    const staged = versions.find(({ stage }) => stage === 'Production');
    if (staged === undefined) throw error;
    return staged;
  }
}

/** Versions that are looked through for a stage, the newest ones. */
const STAGED = 1000;

/** Opens the directory of a model that is in no registry, once it was checked. */
export async function openChecked(dir: string, options: CheckedOptions): Promise<CheckedModel> {
  return { ...(await checked(dir, dir, null, options)), dir, model: await openModel(dir, options) };
}

async function openCopy(
  name: string,
  copy: KeptCopy,
  options: CheckedOptions,
): Promise<Omit<RegisteredModel, 'fresh'>> {
  const { dir, version, mlflowRunId } = copy;
  const what = `${name} v${version}`;
  const proof = await checked(dir, what, { model: name, version, mlflowRunId }, options);
  const metadata = path.join(path.dirname(dir), METADATA);
  // It is in no signature, so whoever asks for one does not want it.
  const use = options.publicKey === null && existsSync(metadata) ? { metadata } : {};
  const model = await openModel(dir, { ...use, ...options }).catch((error: unknown) => {
    if (error instanceof RetrainError)
      throw new RetrainError(error.code, `${what}: ${error.message}`, { cause: error });
    throw error;
  });
  return { ...proof, name, version, mlflowRunId, dir, model };
}

/** A model of others has no provenance, and without a key nothing that it could be held against. */
async function checked(
  dir: string,
  what: string,
  claimed: ClaimedIdentity | null,
  { publicKey, signal }: CheckedOptions,
): Promise<Pick<CheckedModel, 'signature' | 'provenance'>> {
  const bare = !existsSync(path.join(dir, PROVENANCE_FILE)) && !existsSync(path.join(dir, SIGNATURE_FILE));
  if (bare && publicKey === null) return { signature: 'no', provenance: null };
  const { signature, statement } = await checkModel(dir, { what, publicKey, claimed, signal });
  return { signature, provenance: statement };
}

function isAway(error: unknown): error is RetrainError {
  return (
    error instanceof RetrainError && (error.code === 'MLFLOW_UNREACHABLE' || error.code === 'MLFLOW_BUSY')
  );
}

const referenceText = ({ model, by }: ModelReference): string =>
  `${model}@${'alias' in by ? by.alias : by.version}`;
