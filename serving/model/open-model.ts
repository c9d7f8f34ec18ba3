import { readFile } from 'node:fs/promises';
import { RetrainError } from '../../contracts/errors';
import { type DecodedModel, decodeOnnx } from '../../ml/onnx/decode';
import { agreesWithOnnxruntime } from './check-forest';
import { answering, toLabel } from './answering';
import { ForestModel, inputsOf } from './forest-model';
import { type ModelCard, readModelCard } from './model-card';
import { type OpenOptions } from './open-options';
import { OnnxModel } from './onnx-model';
import { type ServedModel } from './served-model';

/** A model that can be asked, and what onnxruntime makes of it. */
export interface BegunModel {
  /** Answers already. Nothing of what it says may go out before `judged` has named it. */
  model: ServedModel;
  /** The one whose answers count: the same, once it has agreed with onnxruntime; else the model in onnxruntime. */
  judged: Promise<ServedModel>;
  /** What its directory says of it. */
  card: ModelCard;
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
  return (await beginModel(dir, options)).judged;
}

/** As `openModel`, but a forest of ours is there while onnxruntime is still asked about it. */
export async function beginModel(dir: string, options: OpenOptions = {}): Promise<BegunModel> {
  const card = await readModelCard(dir, options.metadata);
  const bytes = await readFile(card.file).catch((cause: unknown) => {
    throw new RetrainError('MODEL_INVALID', `its ONNX file cannot be read: ${(cause as Error).message}`, {
      cause,
    });
  });
  const decoded = decodeOnnx(bytes);
  if (decoded === undefined) {
    const model = await OnnxModel.open(bytes, card, options);
    return { model, judged: Promise.resolve(model), card };
  }
  const classes = decoded.names.classLabels.map(toLabel(card));
  const model = new ForestModel(decoded, answering(classes, card), { aliases: options.aliases });
  const judged = judge(model, decoded, bytes, card, options);
  // Whoever waits for it hears of it.
  judged.catch(() => undefined);
  return { model, judged, card };
}

async function judge(
  model: ForestModel,
  decoded: DecodedModel,
  bytes: Uint8Array,
  card: ModelCard,
  options: OpenOptions,
): Promise<ServedModel> {
  const columns = inputsOf(decoded).map(({ name }) => name);
  const agrees = await agreesWithOnnxruntime(
    card.file,
    decoded,
    exampleRows(card, columns),
    options.bounds ?? {},
  );
  return agrees ? model : OnnxModel.open(bytes, card, options);
}

/** The input example's rows with their cells in the order of the model's columns. */
function exampleRows({ example, ours }: ModelCard, columns: readonly string[]): unknown[][] {
  const named = example.columns ?? ours?.columns ?? columns;
  const places = columns.map((name) => named.indexOf(name));
  return example.rows.map((row) => places.map((place) => row[place] ?? null));
}
