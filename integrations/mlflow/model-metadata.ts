import type { Lineage } from '../../contracts/lineage';
import type { TrainingData } from '../../contracts/run';
import type { SignalRule } from '../../contracts/signal';
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
  /** Where predictions say buy, hold or sell. */
  signal?: SignalRule | undefined;
  schema: TableSchema;
  /** model.onnx */
  model: Artifact;
  lineage: Lineage;
  data: Pick<TrainingData, 'md5' | 'sizeBytes'>;
}

/** `model_metadata.json`: what a model is and where it came from, for tools that read neither MLflow nor ONNX. */
export function modelMetadata(input: ModelMetadataInput): ModelFile {
  const content = {
    model_type: input.modelType,
    trained_at: new Date(input.trainedAt).toISOString(),
    mlflow_run_id: input.runId,
    mlflow_experiment_id: input.experimentId,
    metrics: input.metrics,
    thresholds:
      input.signal === undefined
        ? (input.thresholds ?? {})
        : { buy: input.signal.buy, sell: input.signal.sell },
    ...(input.signal === undefined ? {} : { signal: input.signal }),
    features: input.schema.features,
    target: input.schema.target,
    classes: input.schema.classes,
    hashes: {
      data_hash: input.lineage.dataHash,
      data_md5: input.data.md5,
      params_hash: input.lineage.paramsHash,
      code_hash: input.lineage.codeHash,
      pipeline_key: input.lineage.pipelineKey,
      model_sha256: input.model.sha256,
      model_md5: input.model.md5,
    },
    git_commit: input.lineage.gitCommit,
    sizes: {
      data_bytes: input.data.sizeBytes,
      model_bytes: input.model.sizeBytes,
      train_rows: input.schema.rows.train,
      test_rows: input.schema.rows.test,
    },
  };
  return { path: 'model_metadata.json', bytes: Buffer.from(`${JSON.stringify(content, null, 2)}\n`, 'utf8') };
}
