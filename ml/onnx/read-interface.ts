import { RetrainError } from '../../contracts/errors';
import { ELEMENT, type Element } from './graph';

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
    const graph = messages(model, 7)[0];
    if (graph === undefined) throw new RangeError('it has no graph');
    // Older files list their constants among the inputs.
    const constants = new Set(messages(graph, 5).map((tensor) => text(tensor, 8)));
    return {
      inputs: messages(graph, 11)
        .map(valueOf)
        .filter(({ name }) => !constants.has(name)),
      outputs: messages(graph, 12).map(valueOf),
    };
  } catch (cause) {
    if (!(cause instanceof RangeError)) throw cause;
    throw new RetrainError('MODEL_INVALID', `the bytes are no ONNX model: ${cause.message}`, { cause });
  }
}

function valueOf(info: Uint8Array): OnnxValue {
  const name = text(info, 1);
  const tensor = messages(messages(info, 2)[0] ?? EMPTY, 1)[0];
  if (tensor === undefined) return { name, element: null, shape: [] };
  const type = numbers(tensor, 1)[0];
  const element = (Object.keys(ELEMENT) as Element[]).find((one) => ELEMENT[one] === type) ?? null;
  const shape = messages(messages(tensor, 2)[0] ?? EMPTY, 1).map(
    (dimension) => numbers(dimension, 1)[0] ?? null,
  );
  return { name, element, shape };
}

const EMPTY = new Uint8Array();
const utf8 = new TextDecoder();

const messages = (bytes: Uint8Array, field: number): Uint8Array[] =>
  fieldsOf(bytes, field).filter((value) => typeof value !== 'number');

const numbers = (bytes: Uint8Array, field: number): number[] =>
  fieldsOf(bytes, field).filter((value) => typeof value === 'number');

const text = (bytes: Uint8Array, field: number): string => utf8.decode(messages(bytes, field)[0] ?? EMPTY);

/** The values of one field of a protobuf message, in order: bytes, or a whole number. */
function fieldsOf(bytes: Uint8Array, field: number): (Uint8Array | number)[] {
  const found: (Uint8Array | number)[] = [];
  let at = 0;
  const varint = (): number => {
    let value = 0;
    for (let scale = 1; ; scale *= 0x80) {
      const byte = bytes[at++];
      if (byte === undefined) throw new RangeError('it ends too early');
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) return value;
    }
  };
  while (at < bytes.length) {
    const key = varint();
    const wanted = Math.floor(key / 8) === field;
    switch (key % 8) {
      case 0: {
        const value = varint();
        if (wanted) found.push(value);
        break;
      }
      case 1:
        at += 8;
        break;
      case 2: {
        const length = varint();
        if (at + length > bytes.length) throw new RangeError('it ends too early');
        if (wanted) found.push(bytes.subarray(at, at + length));
        at += length;
        break;
      }
      case 5:
        at += 4;
        break;
      default:
        throw new RangeError(`byte ${at} starts no field`);
    }
  }
  return found;
}
