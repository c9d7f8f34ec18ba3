import { createHash } from 'node:crypto';
import type { Metrics, TableSchema } from '../../contracts/stage';
import type { ModelFile } from './model-directory';

export interface ModelMetadataInput {
  /** Algorithm, `random-forest`. */
  modelType: string;
  /** Epoch ms. */
  trainedAt: number;
  runId: string;
  experimentId: string;
  metrics: Metrics;
  /** Cut-offs of the score by class, where any were chosen. */
  thresholds?: Record<string, number>;
  schema: TableSchema;
  onnx: Uint8Array;
  hashes: { data: string; params: string; code: string; pipelineKey: string };
  gitCommit: string;
}

/** `model_metadata.json`: what a model is and where it came from, for tools that read neither MLflow nor ONNX. */
export function modelMetadata(input: ModelMetadataInput): ModelFile {
  const content = {
    model_type: input.modelType,
    trained_at: new Date(input.trainedAt).toISOString(),
    mlflow_run_id: input.runId,
    mlflow_experiment_id: input.experimentId,
    metrics: input.metrics,
    thresholds: input.thresholds ?? {},
    features: input.schema.features,
    target: input.schema.target,
    classes: input.schema.classes,
    hashes: {
      data_hash: input.hashes.data,
      params_hash: input.hashes.params,
      code_hash: input.hashes.code,
      pipeline_key: input.hashes.pipelineKey,
      model_sha256: createHash('sha256').update(input.onnx).digest('hex'),
    },
    git_commit: input.gitCommit,
    sizes: {
      model_bytes: input.onnx.byteLength,
      train_rows: input.schema.rows.train,
      test_rows: input.schema.rows.test,
    },
  };
  return { path: 'model_metadata.json', bytes: Buffer.from(`${JSON.stringify(content, null, 2)}\n`, 'utf8') };
}
