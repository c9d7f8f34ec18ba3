import { RetrainError } from '../../contracts/errors';
import { ELEMENT, type Element } from './graph';
import { contentsOf, firstOf, textOf } from './protobuf-reader';
import { skimGraph } from './skim-file';

/** An input or output of a model. */
export interface OnnxValue {
  name: string;
  /** Null for what is no tensor, or one of another type. */
  element: Element | null;
  /** A named or unknown dimension, such as the number of rows, is null. */
  shape: (number | null)[];
}

/** What a model takes and gives. */
export interface OnnxInterface {
  inputs: OnnxValue[];
  outputs: OnnxValue[];
}

/**
 * Reads the inputs and outputs of any ONNX model out of its bytes, and skips the rest: the time does not depend on the
 * size of the model.
 *
 * Format: onnx.proto of https://github.com/onnx/onnx, by its field numbers.
 *
 * @throws RetrainError MODEL_INVALID when the bytes are no ONNX model.
 */
export function readOnnxInterface(model: Uint8Array): OnnxInterface {
  try {
    const graph = firstOf(model, 7)?.bytes;
    if (graph === undefined) throw new RangeError('it has no graph');
    return interfaceOf(graph);
  } catch (cause) {
    if (!(cause instanceof RangeError)) throw cause;
    throw new RetrainError('MODEL_INVALID', `the bytes are no ONNX model: ${cause.message}`, { cause });
  }
}

/**
 * `readOnnxInterface` of a file, whose weights are not read.
 *
 * @throws RetrainError MODEL_INVALID when it is no ONNX model
 */
export function readOnnxInterfaceOf(file: string): OnnxInterface {
  try {
    return interfaceOf(skimGraph(file));
  } catch (cause) {
    if (!(cause instanceof RangeError)) throw cause;
    throw new RetrainError('MODEL_INVALID', `the bytes are no ONNX model: ${cause.message}`, { cause });
  }
}

/** What a graph takes and gives, by its bytes. @throws RangeError */
export function interfaceOf(graph: Uint8Array): OnnxInterface {
  // Older files list their constants among the inputs.
  const constants = new Set(contentsOf(graph, 5).map((tensor) => textOf(tensor, 8)));
  return {
    inputs: contentsOf(graph, 11)
      .map(valueOf)
      .filter(({ name }) => !constants.has(name)),
    outputs: contentsOf(graph, 12).map(valueOf),
  };
}

function valueOf(info: Uint8Array): OnnxValue {
  const name = textOf(info, 1);
  const tensor = firstOf(firstOf(info, 2)?.bytes ?? EMPTY, 1)?.bytes;
  if (tensor === undefined) return { name, element: null, shape: [] };
  const type = firstOf(tensor, 1)?.int;
  const element = (Object.keys(ELEMENT) as Element[]).find((one) => ELEMENT[one] === type) ?? null;
  const shape = contentsOf(firstOf(tensor, 2)?.bytes ?? EMPTY, 1).map(
    (dimension) => firstOf(dimension, 1)?.int ?? null,
  );
  return { name, element, shape };
}

const EMPTY = new Uint8Array();
