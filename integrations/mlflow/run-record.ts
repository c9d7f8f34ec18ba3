import { z } from 'zod';

const RunStatus = z.enum(['RUNNING', 'SCHEDULED', 'FINISHED', 'FAILED', 'KILLED']);
export type RunStatus = z.infer<typeof RunStatus>;

const KeyValue = z.looseObject({ key: z.string(), value: z.string().default('') });

/** A run as the REST API sends it. */
export const RunReply = z.looseObject({
  info: z.looseObject({
    run_id: z.string(),
    experiment_id: z.string(),
    run_name: z.string().default(''),
    status: RunStatus,
    start_time: z.coerce.number().default(0),
    end_time: z.coerce.number().optional(),
    artifact_uri: z.string().default(''),
    lifecycle_stage: z.string().default('active'),
  }),
  data: z
    .looseObject({
      tags: z.array(KeyValue).default([]),
      params: z.array(KeyValue).default([]),
      // MLflow writes NaN and the infinities as strings.
      metrics: z.array(z.looseObject({ key: z.string(), value: z.coerce.number() })).default([]),
    })
    .prefault({}),
});

/** An MLflow run. */
export interface MlflowRun {
  runId: string;
  experimentId: string;
  name: string;
  status: RunStatus;
  /** Epoch ms. */
  startedAt: number;
  /** Epoch ms; null while it runs. */
  endedAt: number | null;
  /** Root of its artifacts, `mlflow-artifacts:/1/<run id>/artifacts`. */
  artifactUri: string;
  /** In MLflow’s bin. */
  deleted: boolean;
  tags: Record<string, string>;
  params: Record<string, string>;
  /** Last value of each. */
  metrics: Record<string, number>;
}

export function runFrom({ info, data }: z.output<typeof RunReply>): MlflowRun {
  return {
    runId: info.run_id,
    experimentId: info.experiment_id,
    name: info.run_name,
    status: info.status,
    startedAt: info.start_time,
    endedAt: info.end_time === undefined || info.end_time === 0 ? null : info.end_time,
    artifactUri: info.artifact_uri,
    deleted: info.lifecycle_stage === 'deleted',
    tags: record(data.tags),
    params: record(data.params),
    metrics: record(data.metrics),
  };
}

function record<V>(pairs: readonly { key: string; value: V }[]): Record<string, V> {
  return Object.fromEntries(pairs.map(({ key, value }) => [key, value]));
}
