import { z } from 'zod';
import type { Metrics } from '../../contracts/stage';
import { batches, LIMIT, validKey, validValue } from './limits';
import type { MlflowTransport } from './transport';

const Nothing = z.looseObject({});

/** What one log-batch can hold. */
export interface RunLog {
  /** Written once: MLflow refuses another value for the same key. */
  params?: Readonly<Record<string, string | number | boolean | null>>;
  tags?: Readonly<Record<string, string>>;
  metrics?: Readonly<Metrics>;
  /**
   * Epoch ms of the metrics. Give a time that a retry repeats (the activity’s scheduled time): MLflow knows a point
   * by (key, time, step, value), and the same one twice is one.
   */
  at?: number;
  step?: number;
  /** Points of series, each at a step of its own. */
  points?: readonly { key: string; value: number; step: number }[];
  /** Logged model that the metrics are of. */
  modelId?: string | undefined;
}

/** A dataset that a run was trained on. */
export interface DatasetInput {
  /** `iris.csv` */
  name: string;
  /** A hash; MLflow keeps the first 36 characters, so put the whole one in a tag. */
  digest: string;
  /** Where it is, as the user knows it: a path or URL. */
  source: string;
  /** Role in the run. */
  context?: string;
  profile?: { rows?: number; sizeBytes?: number };
}

/**
 * Writes params, tags and metrics in as few requests as MLflow’s limits allow. Safe to repeat with the same values.
 * Keys go by `validKey`; values longer than the limit are cut by `validValue`.
 */
export async function logToRun(
  transport: MlflowTransport,
  runId: string,
  log: RunLog,
  signal?: AbortSignal,
): Promise<void> {
  const params = batches(
    Object.entries(log.params ?? {}).map(([key, value]) => ({
      key: validKey(key),
      value: validValue(String(value), LIMIT.param),
    })),
    LIMIT.perBatch,
  );
  const tags = batches(tagPairs(log.tags ?? {}), LIMIT.perBatch);
  const metrics = batches(
    [
      ...Object.entries(log.metrics ?? {}).map(([key, value]) => ({ key, value, step: log.step ?? 0 })),
      ...(log.points ?? []),
    ].map(({ key, value, step }) => ({
      key: validKey(key),
      value,
      timestamp: log.at ?? 0,
      step,
      ...(log.modelId === undefined ? {} : { model_id: log.modelId }),
    })),
    LIMIT.metricsPerBatch,
  );
  const requests = Math.max(params.length, tags.length, metrics.length);
  for (let at = 0; at < requests; at += 1) {
    const body = {
      run_id: runId,
      params: params[at] ?? [],
      tags: tags[at] ?? [],
      metrics: metrics[at] ?? [],
    };
    await transport.post('runs/log-batch', body, Nothing, { signal });
  }
}

/** Links datasets to the run. Safe to repeat: MLflow knows a dataset by (name, digest). */
export async function logDatasets(
  transport: MlflowTransport,
  runId: string,
  inputs: readonly DatasetInput[],
  signal?: AbortSignal,
): Promise<void> {
  if (inputs.length === 0) return;
  const datasets = inputs.map((input) => ({
    tags: [{ key: 'mlflow.data.context', value: input.context ?? 'training' }],
    dataset: {
      name: validValue(input.name, LIMIT.datasetName),
      digest: input.digest.slice(0, LIMIT.datasetDigest),
      ...origin(input.source),
      ...(input.profile === undefined ? {} : { profile: JSON.stringify(profile(input.profile)) }),
    },
  }));
  await transport.post('runs/log-inputs', { run_id: runId, datasets }, Nothing, { signal });
}

/** Tags in the form of the REST API, within its limits. */
export function tagPairs(tags: Readonly<Record<string, string>>): { key: string; value: string }[] {
  return Object.entries(tags).map(([key, value]) => ({
    key: validKey(key),
    value: validValue(value, LIMIT.tag),
  }));
}

/** In the form from which Python’s `mlflow.data.get_source` finds the data again. */
function origin(source: string): { source_type: string; source: string } {
  const scheme = /^([a-z][a-z0-9+.-]*):\/\//i.exec(source)?.[1]?.toLowerCase();
  if (scheme === 'http' || scheme === 'https') {
    return { source_type: 'http', source: JSON.stringify({ url: source }) };
  }
  return { source_type: scheme ?? 'local', source: JSON.stringify({ uri: source }) };
}

/** Under the names that MLflow’s UI shows. */
function profile(given: { rows?: number; sizeBytes?: number }): Record<string, number> {
  return {
    ...(given.rows === undefined ? {} : { num_rows: given.rows }),
    ...(given.sizeBytes === undefined ? {} : { size_bytes: given.sizeBytes }),
  };
}
