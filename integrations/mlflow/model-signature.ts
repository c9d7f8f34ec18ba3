import { type InputColumn, type TableSchema } from '../../contracts/stage';
import { inputsOf } from '../../ml/dataset/table-artifact';
import { type OnnxInterface, type OnnxValue } from '../../ml/onnx/read-interface';

type Spec =
  | { type: 'tensor'; 'tensor-spec': { dtype: string; shape: number[] }; name?: string }
  | { type: 'any' | 'string'; name: string; required: true };

/** `signature` of an MLmodel file: each part JSON in a string. Source: mlflow/models/signature.py. */
export interface ModelSignature {
  inputs: string;
  outputs: string;
  params: null;
}

/**
 * The raw columns that a model takes, where it has one input for each; null for a model with one input for the
 * prepared rows, as train-sklearn's is.
 */
export function rawColumnsOf({ inputs }: OnnxInterface, schema: TableSchema): InputColumn[] | null {
  const columns = inputsOf(schema);
  const named = inputs.every(
    ({ name, shape }) => shape.at(-1) === 1 && columns.some((column) => column.name === name),
  );
  return named ? columns.filter(({ name }) => inputs.some((input) => input.name === name)) : null;
}

/**
 * What the model takes and gives, for pyfunc, which holds what a caller passes against it.
 *
 * A model of raw columns: the columns by name, in any order, as DataFrames have them. A number is of the type `any`: pandas makes
 * int64 of a column of whole numbers, which MLflow refuses for `double`. A model of prepared rows: one
 * unnamed float64 tensor `[-1, d]`, although the graph's own is float32, so that pyfunc takes a DataFrame of the d
 * feature columns in order or a NumPy array, both float64 by default, and casts it (docs/decisions/0006).
 * The outputs are those of the graph: `label` and `probabilities`, or `prediction`.
 */
export function modelSignature(graph: OnnxInterface, schema: TableSchema): ModelSignature {
  const columns = rawColumnsOf(graph, schema);
  return {
    inputs: pythonJson(
      columns === null
        ? [tensor('float64', [-1, schema.features.length])]
        : columns.map(({ name, kind }) => ({
            type: kind === 'number' ? ('any' as const) : ('string' as const),
            name,
            required: true as const,
          })),
    ),
    outputs: pythonJson(graph.outputs.map(outputSpec)),
    params: null,
  };
}

const DTYPE = { float: 'float32', int64: 'int64', string: 'str' } as const;

function outputSpec({ name, element, shape }: OnnxValue): Spec {
  return tensor(
    element === null ? 'object' : DTYPE[element],
    shape.map((size) => size ?? -1),
    name,
  );
}

function tensor(dtype: string, shape: number[], name?: string): Spec {
  return { type: 'tensor', 'tensor-spec': { dtype, shape }, ...(name === undefined ? {} : { name }) };
}

/** With the separators of Python’s json.dumps, so that the text is the one that MLflow itself writes. */
function pythonJson(specs: readonly Spec[]): string {
  const text = (value: unknown): string => {
    if (Array.isArray(value)) return `[${value.map(text).join(', ')}]`;
    if (typeof value !== 'object' || value === null) return JSON.stringify(value);
    const pairs = Object.entries(value).map(([key, inner]) => `${JSON.stringify(key)}: ${text(inner)}`);
    return `{${pairs.join(', ')}}`;
  };
  return text(specs);
}
