import { readFile } from 'node:fs/promises';
import { RetrainError } from '../../contracts/errors';
import { type LabelType } from '../../integrations/mlflow/label-type';
import { decodeOnnx } from '../../ml/onnx/decode';
import { agreesWithOnnxruntime } from './check-forest';
import { ForestModel, inputsOf, type Answering } from './forest-model';
import { type ModelCard, readModelCard } from './model-card';
import { type OnnxBounds } from './onnx-process';
import { type Label, type ServedModel } from './served-model';

export interface OpenOptions {
  /** Column by another name that callers use for it; `iris.sepal.length: sepal_length`. */
  aliases?: Readonly<Record<string, string>>;
  /** A `model_metadata.json`, absolute, for the cut-off of a model whose directory tells none. */
  metadata?: string;
  /** What the process of a model may take that runs in onnxruntime. */
  bounds?: OnnxBounds;
}

/**
 * Opens a model directory as MLflow's registry holds it (MLmodel and an ONNX file, ours or anyone's).
 *
 * A forest of ours is read back out of its file into our own predictor, once that has agreed with onnxruntime on the input example and
 * a sample; any other runs in onnxruntime, in a process of its own with bounds.
 *
 * @param dir absolute
 * @throws RetrainError DATA_NOT_FOUND when it holds no model; MODEL_INVALID; CONFIG_INVALID for an alias of no column
 */
export async function openModel(dir: string, options: OpenOptions = {}): Promise<ServedModel> {
  const card = await readModelCard(dir, options.metadata);
  const bytes = await readFile(card.file).catch((cause: unknown) => {
    throw new RetrainError('MODEL_INVALID', `its ONNX file cannot be read: ${(cause as Error).message}`, {
      cause,
    });
  });
  const decoded = decodeOnnx(bytes);
  if (decoded !== undefined) {
    const columns = inputsOf(decoded).map(({ name }) => name);
    const example = exampleRows(card, columns);
    if (await agreesWithOnnxruntime(card.file, decoded, example, options.bounds ?? {})) {
      const classes = labelsOf(decoded.names.classLabels, card.ours?.labelType ?? 'str');
      return new ForestModel(decoded, answering(classes, card), { aliases: options.aliases });
    }
  }
  throw new RetrainError('MODEL_INVALID', 'it is no forest of ours');
}

/** The input example's rows with their cells in the order of the model's columns. */
function exampleRows({ example, ours }: ModelCard, columns: readonly string[]): unknown[][] {
  const named = example.columns ?? ours?.columns ?? columns;
  const places = columns.map((name) => named.indexOf(name));
  return example.rows.map((row) => places.map((place) => row[place] ?? null));
}

const OF_TEXT: Record<LabelType, (text: string) => Label> = {
  int64: Number,
  float64: Number,
  bool: (text) => text.toLowerCase() === 'true',
  str: (text) => text,
};

/** Class labels in the target's own type, as Python's loader answers them. */
function labelsOf(texts: readonly string[], type: LabelType): Label[] {
  return texts.map(OF_TEXT[type]);
}

/** The cut-off is kept by the class's text. */
export function answering(classes: readonly Label[], { thresholds }: ModelCard): Answering {
  const [entry, another] = Object.entries(thresholds);
  const positive = classes.find((label) => textsOf(label).includes(entry?.[0] ?? ''));
  const usable = entry !== undefined && another === undefined && positive !== undefined && entry[1] >= 0;
  return { classes, cutoff: usable ? { positive, threshold: entry[1] } : null };
}

/** How a label may be written where it is a text: `True` and `true` are one. */
const textsOf = (label: Label): readonly string[] =>
  typeof label === 'boolean'
    ? label
      ? ['True', 'true', 'TRUE']
      : ['False', 'false', 'FALSE']
    : [String(label)];
