import { type InputColumn, MODEL_OUTPUT, type TableSchema } from '../../contracts/stage';
import { inputsOf } from '../../ml/dataset/table-artifact';
import { type OnnxInterface } from '../../ml/onnx/read-interface';
import { labelType } from './label-type';

type Spec =
  | { type: 'tensor'; 'tensor-spec': { dtype: string; shape: number[] } }
  | { type: 'double' | 'string'; name: string; required: true }
  | { name: string; default: string; shape: null; type: 'string' };

/** `signature` of an MLmodel file: each part JSON in a string. Source: mlflow/models/signature.py. */
export interface ModelSignature {
  inputs: string;
  outputs: string;
  params: string;
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
 * What the model takes and gives: columns by name, numbers as doubles, which may be missing, and texts; an array of labels in the target's
 * own type, or of numbers. `predict_method` asks for probabilities instead.
 *
 * MLflow would hold rows against it more strictly than the model does, and refuse a column of whole numbers for `double`; so MLmodel
 * says that the model itself checks its rows (docs/decisions/0013).
 */
export function modelSignature(graph: OnnxInterface, schema: TableSchema): ModelSignature {
  const columns: { name: string; type: 'double' | 'string' }[] =
    rawColumnsOf(graph, schema)?.map(({ name, kind }) => ({
      name,
      type: kind === 'number' ? 'double' : 'string',
    })) ?? schema.features.map((name) => ({ name, type: 'double' }));
  const answers = graph.outputs.some(({ name }) => name === MODEL_OUTPUT.prediction)
    ? 'float64'
    : labelType(schema.classes);
  return {
    inputs: pythonJson(columns.map(({ name, type }) => ({ type, name, required: true }))),
    outputs: pythonJson([{ type: 'tensor', 'tensor-spec': { dtype: answers, shape: [-1] } }]),
    params: pythonJson([{ name: 'predict_method', default: 'predict', shape: null, type: 'string' }]),
  };
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
