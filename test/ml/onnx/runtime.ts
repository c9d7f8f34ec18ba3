import { InferenceSession, Tensor } from 'onnxruntime-node';
import type { FeatureMatrix } from '../../../ml/dataset/matrix';
import { rowMajor } from '../table';

/** Runs a model in onnxruntime: each output's data by name. */
export async function runOnnx(
  model: Uint8Array,
  table: FeatureMatrix,
): Promise<Record<string, Tensor['data']>> {
  const session = await InferenceSession.create(model);
  try {
    const input = new Tensor('float32', rowMajor(table), [table.rows, table.features]);
    const outputs = await session.run({ input });
    return Object.fromEntries(Object.entries(outputs).map(([name, tensor]) => [name, tensor.data]));
  } finally {
    await session.release();
  }
}
