import { InferenceSession, Tensor } from 'onnxruntime-node';
import { RetrainError } from '../contracts/errors';
import { type FeatureMatrix } from '../ml/dataset/matrix';
import { type NativeSection } from './stage';

/** Rows per call: native calls stay short, so that a cancellation is not kept waiting. */
const BATCH_ROWS = 4096;

/** What a classifier said of each row. */
export interface Scored {
  /** `[n]` class labels. */
  labels: string[];
}

/**
 * Runs an ONNX classifier over a table with onnxruntime, the engine that serves it, on one thread, so that the
 * sums are the same on every machine.
 *
 * @throws RetrainError MODEL_INVALID when the model cannot be loaded or does not take such rows.
 */
export async function scoreOnnx(
  model: Uint8Array,
  table: FeatureMatrix,
  native: NativeSection,
  onProgress: (done: number) => void,
): Promise<Scored> {
  const session = await native.run(() => loaded(model));
  try {
    const [input = ''] = session.inputNames;
    const labels: string[] = [];
    for (let start = 0; start < table.rows; start += BATCH_ROWS) {
      const rows = rowMajor(table, start, Math.min(start + BATCH_ROWS, table.rows));
      const outputs = await native.run(() => session.run({ [input]: rows }, ['label']).catch(refused));
      labels.push(...labelsOf(outputs['label']));
      onProgress(labels.length);
    }
    return { labels };
  } finally {
    await native.run(() => session.release());
  }
}

const loaded = (model: Uint8Array): Promise<InferenceSession> =>
  InferenceSession.create(model, {
    intraOpNumThreads: 1,
    interOpNumThreads: 1,
    logSeverityLevel: 4,
  }).catch(refused);

function refused(error: unknown): never {
  const [line = ''] = (error instanceof Error ? error.message : String(error)).split('\n');
  throw new RetrainError('MODEL_INVALID', `onnxruntime refuses the model: ${line}`, { cause: error });
}

function rowMajor(table: FeatureMatrix, start: number, end: number): Tensor {
  const { values, rows, features } = table;
  const batch = new Float32Array((end - start) * features);
  for (let f = 0; f < features; f++) {
    for (let row = start; row < end; row++) {
      batch[(row - start) * features + f] = values[f * rows + row] ?? Number.NaN;
    }
  }
  return new Tensor('float32', batch, [end - start, features]);
}

function labelsOf(output: InferenceSession.OnnxValueMapType[string] | undefined): string[] {
  const data: unknown = output?.data;
  if (Array.isArray(data)) return data.map(String);
  if (data instanceof BigInt64Array || data instanceof Int32Array) return Array.from(data, String);
  throw new RetrainError(
    'MODEL_INVALID',
    'the model has no output "label" of strings or integers, expected a classifier',
  );
}
