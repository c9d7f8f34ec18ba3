import path from 'node:path';
import { z } from 'zod';
import { VERSION_TAG } from '../../contracts/names';
import { readBounded } from '../../integrations/files/read-bounded';
import { type Mlflow } from '../../integrations/mlflow/client';
import { type RegisteredModel } from '../model/fetch-checked';
import { METADATA } from '../model/model-copies';
import { readModelCard } from '../model/model-card';
import { type ModelFacts, type Role } from './live-model';

/** What `model_metadata.json` tells, where it is ours. */
const Metadata = z.looseObject({
  metrics: z.record(z.string(), z.number()).catch({}),
  hashes: z.looseObject({ data_hash: z.string().nullable().catch(null) }).catch({ data_hash: null }),
  git_commit: z.string().nullable().catch(null),
});

const MOST_METADATA_BYTES = 8 << 20;

type Recorded = Pick<ModelFacts, 'dataHash' | 'gitCommit' | 'metrics'>;

/**
 * What is known of a model that was opened: by the registry, or, while it is away, by the metadata that were fetched with the model.
 * None of it decides anything, so nothing of it fails.
 */
export async function readFacts(
  mlflow: Mlflow,
  opened: RegisteredModel,
  { role, alias, now, signal }: { role: Role; alias: string; now: number; signal: AbortSignal },
): Promise<ModelFacts> {
  const registered = opened.fresh ? await fromRegistry(mlflow, opened, signal).catch(() => null) : null;
  const recorded = registered ?? (await fromMetadata(opened.dir));
  const { example } = await readModelCard(opened.dir);
  const columns = example.columns ?? opened.model.fields.map(({ name }) => name);
  return {
    ...{ name: opened.name, version: opened.version, runId: opened.mlflowRunId },
    alias: registered !== null && !registered.aliases.includes(alias) ? null : alias,
    stage: role === 'production' ? 'Production' : 'Staging',
    ...{ dataHash: recorded.dataHash, gitCommit: recorded.gitCommit, metrics: recorded.metrics },
    example: example.rows
      .slice(0, MOST_ROWS)
      .map((row) => Object.fromEntries(columns.map((name, at) => [name, row[at] ?? null]))),
    signed: opened.signature,
    loadedAt: now,
  };
}

/** Rows of the input example that `/model/info` shows. */
const MOST_ROWS = 5;

async function fromRegistry(
  mlflow: Mlflow,
  opened: RegisteredModel,
  signal: AbortSignal,
): Promise<Recorded & { aliases: readonly string[] }> {
  const [version, run, model] = await Promise.all([
    mlflow.registry.getVersion(opened.name, opened.version, signal),
    opened.mlflowRunId === null ? null : mlflow.runs.get(opened.mlflowRunId, signal),
    mlflow.registry.findModel(opened.name, signal),
  ]);
  const aliases = Object.entries(model?.aliases ?? {}).filter(([, named]) => named === opened.version);
  return {
    dataHash: version.tags[VERSION_TAG.dataHash] ?? null,
    gitCommit: version.tags[VERSION_TAG.gitCommit] ?? null,
    metrics: Object.fromEntries(
      Object.entries(run?.metrics ?? {}).filter(([, value]) => Number.isFinite(value)),
    ),
    aliases: aliases.map(([alias]) => alias),
  };
}

async function fromMetadata(dir: string): Promise<Recorded> {
  const none = { dataHash: null, gitCommit: null, metrics: {} };
  const file = path.join(path.dirname(dir), METADATA);
  try {
    const text = await readBounded(file, METADATA, MOST_METADATA_BYTES);
    if (text === null) return none;
    const { metrics, hashes, git_commit } = Metadata.parse(JSON.parse(text));
    return { dataHash: hashes.data_hash, gitCommit: git_commit, metrics };
  } catch {
    return none;
  }
}
