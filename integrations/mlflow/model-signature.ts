import type { TableSchema } from '../../contracts/stage';
import { ONNX_LABEL, ONNX_PROBABILITIES } from '../../ml/onnx/encode';

interface TensorSpec {
  type: 'tensor';
  'tensor-spec': { dtype: string; shape: number[] };
  name?: string;
}

/** `signature` of an MLmodel file: each part JSON in a string. Source: mlflow/models/signature.py. */
export interface ModelSignature {
  inputs: string;
  outputs: string;
  params: null;
}

/**
 * What the model takes and gives. The input is one unnamed float64 tensor `[-1, d]`, although the graph’s own is float32:
 * with this signature pyfunc takes what Python users hold, a DataFrame of the d feature columns in order or a NumPy array,
 * both float64 by default, and casts it. Named or float32 tensors would refuse both; a column-based signature
 * makes mlflow.onnx return a DataFrame, which fails on two outputs of different length.
 * The outputs are `label`, string `[-1]`, and `probabilities`, float32 `[-1, K]`.
 */
export function modelSignature(schema: TableSchema): ModelSignature {
  return {
    inputs: pythonJson([tensor('float64', [-1, schema.features.length])]),
    outputs: pythonJson([
      tensor('str', [-1], ONNX_LABEL),
      tensor('float32', [-1, schema.classes.length], ONNX_PROBABILITIES),
    ]),
    params: null,
  };
}

function tensor(dtype: string, shape: number[], name?: string): TensorSpec {
  return { type: 'tensor', 'tensor-spec': { dtype, shape }, ...(name === undefined ? {} : { name }) };
}

/** With the separators of Python’s json.dumps, so that the text is the one that MLflow itself writes. */
function pythonJson(specs: readonly TensorSpec[]): string {
  const text = (value: unknown): string => {
    if (Array.isArray(value)) return `[${value.map(text).join(', ')}]`;
    if (typeof value !== 'object' || value === null) return JSON.stringify(value);
    const pairs = Object.entries(value).map(([key, inner]) => `${JSON.stringify(key)}: ${text(inner)}`);
    return `{${pairs.join(', ')}}`;
  };
  return text(specs);
}
