import { readFile } from 'node:fs/promises';
import { RetrainError } from '../../contracts/errors';
import { decodeOnnx } from '../../ml/onnx/decode';
import { agreesWithOnnxruntime } from './check-forest';
import { answering, toLabel } from './answering';
import { ForestModel, inputsOf } from './forest-model';
import { type ModelCard, readModelCard } from './model-card';
import { type OpenOptions } from './open-options';
import { OnnxModel } from './onnx-model';
import { type ServedModel } from './served-model';

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
      const classes = decoded.names.classLabels.map(toLabel(card));
      return new ForestModel(decoded, answering(classes, card), { aliases: options.aliases });
    }
  }
  return OnnxModel.open(bytes, card, options);
}

/** The input example's rows with their cells in the order of the model's columns. */
function exampleRows({ example, ours }: ModelCard, columns: readonly string[]): unknown[][] {
  const named = example.columns ?? ours?.columns ?? columns;
  const places = columns.map((name) => named.indexOf(name));
  return example.rows.map((row) => places.map((place) => row[place] ?? null));
}
