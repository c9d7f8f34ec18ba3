import { existsSync } from 'node:fs';
import path from 'node:path';
import { RetrainError } from '../../contracts/errors';
import { ALIAS } from '../../contracts/names';
import { BRIEF } from '../../integrations/mlflow/backoff';
import { createMlflow, type Mlflow } from '../../integrations/mlflow/client';
import { findVersion, type ModelReference } from '../../integrations/mlflow/registered-run';
import { type ModelVersion } from '../../integrations/mlflow/registry-record';
import { type ModelShelf } from '../../pipeline/model/fetch-model';
import { type KeptCopy, METADATA, ModelCopies } from './model-copies';
import { checked, type CheckedModel, type CheckedOptions, openAs } from './open-checked';
import { type ServedModel } from './served-model';

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
    const judged = kept(copies, reference, copy, opened.judged);
    judged.catch(() => undefined);
    if (options.judge !== 'beside') await judged;
    return { ...opened, judged, fresh: true };
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

/** The model, once it has passed everything and its copy is the one that is used while MLflow is away. */
async function kept(
  copies: ModelCopies,
  reference: ModelReference,
  copy: KeptCopy,
  judged: Promise<ServedModel>,
): Promise<ServedModel> {
  try {
    const model = await judged;
    await copies.keep(reference, copy);
    return model;
  } catch (error) {
    // The next one fetches it anew: what has lain here may be damaged.
    if (isBad(error)) await copies.drop(copy);
    throw error;
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
    if (!isBad(error)) throw error;
    await copies.drop(copy);
    // What has lain here for a while may be damaged, where the registry's is whole.
    if (copy.brought) throw error;
    return openBrought(copies, mlflow, version, options);
  }
}

const BAD: ReadonlySet<string> = new Set(['VERIFICATION_FAILED', 'MODEL_INVALID', 'DATA_NOT_FOUND']);

const isBad = (error: unknown): boolean => error instanceof RetrainError && BAD.has(error.code);

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
  const named = (error: unknown): never => {
    if (error instanceof RetrainError)
      throw new RetrainError(error.code, `${what}: ${error.message}`, { cause: error });
    throw error;
  };
  const begun = await openAs(dir, { ...use, ...options }).catch(named);
  const judged = begun.judged.catch(named);
  judged.catch(() => undefined);
  return { ...proof, name, version, mlflowRunId, dir, ...begun, judged };
}

function isAway(error: unknown): error is RetrainError {
  return (
    error instanceof RetrainError && (error.code === 'MLFLOW_UNREACHABLE' || error.code === 'MLFLOW_BUSY')
  );
}

const referenceText = ({ model, by }: ModelReference): string =>
  `${model}@${'alias' in by ? by.alias : by.version}`;
