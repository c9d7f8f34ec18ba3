import { z } from 'zod';
import { listed, RetrainError } from '../../contracts/errors';
import { ALIAS, RUN_TAG } from '../../contracts/names';
import { TrainingData } from '../../contracts/run';
import { type Mlflow } from './client';
import { notFound } from './errors';
import { type ModelVersion } from './registry-record';
import { type MlflowRun } from './run-record';

/** A model version and the run that made it. */
export interface RegisteredRun {
  version: ModelVersion;
  run: MlflowRun;
}

/** `iris`, `iris@production`, `iris@3`, `iris@v3`, `iris/3`. */
export interface ModelReference {
  model: string;
  by: { alias: string } | { version: string };
}

/**
 * Reads how people name a model version; without version and alias it is the one in production.
 *
 * @throws RetrainError USAGE
 */
export function parseModelReference(text: string): ModelReference {
  const parsed = /^(?:models:\/)?([^@/\s]+)(?:[@/]([^@/\s]+))?$/.exec(text);
  const [, model, which = ALIAS.production] = parsed ?? [];
  if (model === undefined) {
    throw new RetrainError('USAGE', `a model is named as iris@production or iris@3, got ${text}`);
  }
  const number = /^v?(\d{1,9})$/.exec(which)?.[1];
  return { model, by: number === undefined ? { alias: which } : { version: number } };
}

/** @throws RetrainError NOT_FOUND */
export async function findVersion(
  mlflow: Mlflow,
  { model, by }: ModelReference,
  signal?: AbortSignal,
): Promise<ModelVersion> {
  if ('version' in by) return numbered(mlflow, model, by.version, signal);
  const found = await mlflow.registry.findByAlias(model, by.alias, signal);
  if (found !== null) return found;
  const known = await mlflow.registry.findModel(model, signal);
  const aliases = Object.keys(known?.aliases ?? {});
  throw new RetrainError(
    'NOT_FOUND',
    known === null
      ? `there is no registered model ${model}; list the runs: retrain list`
      : `${model} has no alias ${by.alias}; it has ${aliases.length === 0 ? 'none' : aliases.join(', ')}`,
  );
}

/** So many of a model's versions are named, the newest ones. */
const NAMED = 5;

async function numbered(
  mlflow: Mlflow,
  model: string,
  version: string,
  signal?: AbortSignal,
): Promise<ModelVersion> {
  try {
    return await mlflow.registry.getVersion(model, version, signal);
  } catch (cause) {
    if (!notFound(cause)) throw cause;
    const newest = await mlflow.registry.listVersions(model, NAMED, signal);
    throw new RetrainError(
      'NOT_FOUND',
      newest.length === 0
        ? `there is no registered model ${model}, or it has no version; list the runs: retrain list`
        : `${model} has no version ${version}; its newest are ${listed(newest.map((one) => `v${one.version}`))}; list the runs: retrain list`,
      { cause },
    );
  }
}

/** @throws RetrainError NOT_FOUND, also for a version that came from no run */
export async function findRegisteredRun(
  mlflow: Mlflow,
  reference: ModelReference,
  signal?: AbortSignal,
): Promise<RegisteredRun> {
  const version = await findVersion(mlflow, reference, signal);
  if (version.runId === '') {
    throw new RetrainError(
      'NOT_FOUND',
      `${version.name} v${version.version} came from no run, so nothing is recorded of it`,
    );
  }
  return { version, run: await mlflow.runs.get(version.runId, signal) };
}

/** A table that a run was trained on. */
export interface RecordedTable {
  /** Relative to the project. */
  path: string;
  md5: string;
  sha256: string;
  /** Null: the run is older than this tag. */
  sizeBytes: number | null;
}

export interface RecordedData extends RecordedTable {
  /** Tables that were joined to it, by name. */
  extra?: Record<string, RecordedTable>;
}

const ExtraTag = z.record(z.string(), TrainingData);

/** All tables of a run, the data first. */
export function recordedTables({ extra = {}, ...data }: RecordedData): RecordedTable[] {
  return [data, ...Object.values(extra)];
}

/** @throws RetrainError NOT_FOUND for a run that another program made */
export function recordedData({ name, params, tags }: MlflowRun): RecordedData {
  const path = params['data.path'];
  const md5 = tags[RUN_TAG.dataMd5];
  const sha256 = tags[RUN_TAG.dataSha256] ?? tags[RUN_TAG.dataHash];
  const size = Number(tags[RUN_TAG.dataSize] ?? NaN);
  if (path === undefined || md5 === undefined || sha256 === undefined) {
    throw new RetrainError(
      'NOT_FOUND',
      `the MLflow run ${name} does not say what it was trained on (tags ${RUN_TAG.dataMd5}, ${RUN_TAG.dataHash}); retrain did not make it`,
    );
  }
  const extra = recordedExtra(name, tags[RUN_TAG.dataExtra]);
  const sizeBytes = Number.isFinite(size) ? size : null;
  return { path, md5, sha256, sizeBytes, ...(extra === undefined ? {} : { extra }) };
}

function recordedExtra(run: string, tag: string | undefined): Record<string, TrainingData> | undefined {
  if (tag === undefined) return undefined;
  try {
    return ExtraTag.parse(JSON.parse(tag));
  } catch (cause) {
    throw new RetrainError(
      'NOT_FOUND',
      `the tag ${RUN_TAG.dataExtra} of the MLflow run ${run} is damaged, so the tables that were joined are not known`,
      { cause },
    );
  }
}
