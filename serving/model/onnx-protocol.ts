/** Types of tensors that rows are made of, and that answers are. */
export type TensorType = 'float32' | 'float64' | 'int32' | 'int64' | 'bool' | 'string';

/** A tensor on its way between the processes. */
export interface SentTensor {
  name: string;
  type: TensorType;
  dims: readonly number[];
  data: Float32Array | Float64Array | Int32Array | BigInt64Array | Uint8Array | readonly string[];
}

/** What the process with onnxruntime is asked for. */
export type OnnxRequest =
  | { id: number; ask: 'open'; model: { file: string } | { bytes: Uint8Array }; threads: number }
  | { id: number; ask: 'run'; feeds: readonly SentTensor[]; outputs: readonly string[] };

export type OnnxReply = { id: number; outputs: readonly SentTensor[] } | { id: number; refused: string };
