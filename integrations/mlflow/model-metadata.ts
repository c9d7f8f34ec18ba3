import type { Artifact, Metrics, TableSchema } from '../../contracts/stage';
import type { ModelFile } from './model-directory';

export interface ModelMetadataInput {
  /** Algorithm, `random-forest`. */
  modelType: string;
  /** Epoch ms. */
  trainedAt: number;
  runId: string;
  experimentId: string;
  metrics: Metrics;
  /** Cut-off of the probability by class, where one was chosen. */
  thresholds?: Record<string, number>;
  schema: TableSchema;
  /** model.onnx */
  model: Artifact;
  hashes: { data: string; dataMd5: string; params: string; code: string; pipelineKey: string };
  gitCommit: string;
  /** Of the data, in bytes. */
  dataBytes: number;
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
      data_md5: input.hashes.dataMd5,
      params_hash: input.hashes.params,
      code_hash: input.hashes.code,
      pipeline_key: input.hashes.pipelineKey,
      model_sha256: input.model.sha256,
      model_md5: input.model.md5,
    },
    git_commit: input.gitCommit,
    sizes: {
      data_bytes: input.dataBytes,
      model_bytes: input.model.sizeBytes,
      train_rows: input.schema.rows.train,
      test_rows: input.schema.rows.test,
    },
  };
  return { path: 'model_metadata.json', bytes: Buffer.from(`${JSON.stringify(content, null, 2)}\n`, 'utf8') };
}
