import { type SignalRule } from '../../../contracts/signal';
import { ARTIFACT, type TableSchema } from '../../../contracts/stage';
import { type Mlflow } from '../../../integrations/mlflow/client';
import { MODEL_PATH, modelDirectory } from '../../../integrations/mlflow/model-directory';
import { digestBytes } from '../../../ml/hashing/digest';
import { readOnnxInterface } from '../../../ml/onnx/read-interface';

interface Model {
  schema: TableSchema;
  onnx: Uint8Array;
  runId: string;
  createdAt: number;
  /** Cut-offs that the evaluation chose, by class. */
  thresholds?: Record<string, number>;
  /** What a value says to do. */
  signal?: SignalRule | undefined;
}

/** What a model directory is made from, by the graph's bytes. */
export const directoryInput = ({ onnx, ...rest }: Model): Parameters<typeof modelDirectory>[0] => ({
  ...rest,
  graph: readOnnxInterface(onnx),
  content: digestBytes(onnx),
});

/** Puts a model directory among a run's files. */
export async function uploadModel(mlflow: Mlflow, root: string, model: Model): Promise<void> {
  const files = [{ path: ARTIFACT.model, bytes: model.onnx }, ...modelDirectory(directoryInput(model))];
  for (const { path, bytes } of files) {
    await mlflow.artifacts.uploadBytes(root, `${MODEL_PATH}/${path}`, bytes);
  }
}
