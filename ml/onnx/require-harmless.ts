import { RetrainError } from '../../contracts/errors';
import { contentsOf, eachField, firstOf, textOf, VarintReader } from './protobuf-reader';

/** Values that one node of a model may make out of nothing but a shape. */
const MOST_VALUES = 1 << 26;

const MOST_NODES = 100_000;
const MOST_DEPTH = 8;

/** Operators that go on for as long as the model says. */
const ENDLESS = new Set(['Loop']);

/** Operators whose result is as large as numbers in the model say, by the place of the input that has them. */
const SIZED: Readonly<Record<string, number>> = {
  ConstantOfShape: 0,
  Reshape: 1,
  Expand: 1,
  Tile: 1,
  Pad: 1,
  OneHot: 1,
  Resize: 3,
  Upsample: 1,
  Range: 1,
};

/** Operators that make values of the shape in their attribute `shape`. */
const DRAWN = new Set(['RandomNormal', 'RandomUniform']);

/** Of TensorProto.DataType. */
const INT64 = 7;
const EXTERNAL = 1;

/**
 * Looks at a model of a stranger before a runtime loads it: no loops without end, no files beside it, nothing that a few bytes make
 * large. What a model makes of its rows is only known when it runs: memory is bounded there.
 *
 * Format: onnx.proto of https://github.com/onnx/onnx, by its field numbers.
 *
 * @throws RetrainError MODEL_INVALID naming the operator
 */
export function requireHarmless(model: Uint8Array): void {
  try {
    const graph = firstOf(model, 7)?.bytes;
    if (graph === undefined) throw new RangeError('it has no graph');
    new Inspection().graph(graph, 0);
  } catch (cause) {
    if (!(cause instanceof RangeError)) throw cause;
    throw new RetrainError('MODEL_INVALID', `the bytes are no ONNX model: ${cause.message}`, { cause });
  }
}

class Inspection {
  private nodes = 0;
  /** Whole numbers of constants, by name: shapes are among them. */
  private readonly known = new Map<string, readonly number[]>();

  graph(graph: Uint8Array, depth: number): void {
    if (depth > MOST_DEPTH) throw refused(`graphs in graphs more than ${MOST_DEPTH} deep`);
    for (const tensor of contentsOf(graph, 5)) this.constant(textOf(tensor, 8), tensor);
    for (const field of eachField(graph)) if (field.number === 1) this.node(field.bytes, depth);
  }

  private node(node: Uint8Array, depth: number): void {
    if (++this.nodes > MOST_NODES) throw refused(`more than ${MOST_NODES} operators`);
    const op = textOf(node, 4);
    if (ENDLESS.has(op)) throw refused(`the operator ${op}, which may never end`);
    for (const attribute of contentsOf(node, 5)) {
      const name = textOf(attribute, 1);
      for (const graph of [...contentsOf(attribute, 6), ...contentsOf(attribute, 11)])
        this.graph(graph, depth + 1);
      for (const tensor of [...contentsOf(attribute, 5), ...contentsOf(attribute, 10)]) {
        this.constant(op === 'Constant' ? textOf(node, 2) : '', tensor);
      }
      if (op === 'Constant' && name === 'value_ints') this.known.set(textOf(node, 2), integers(attribute, 8));
      if (DRAWN.has(op) && name === 'shape') requireSmall(op, integers(attribute, 8));
    }
    const at = SIZED[op];
    if (at === undefined) return;
    const wanted = this.known.get(utf8.decode(contentsOf(node, 1)[at] ?? new Uint8Array()));
    if (wanted !== undefined) requireSmall(op, wanted);
  }

  private constant(name: string, tensor: Uint8Array): void {
    if (firstOf(tensor, 14)?.int === EXTERNAL || firstOf(tensor, 13) !== undefined) {
      throw refused('weights in another file');
    }
    requireSmall('a constant', integers(tensor, 1));
    if (firstOf(tensor, 2)?.int !== INT64 || name === '') return;
    const raw = firstOf(tensor, 9)?.bytes;
    this.known.set(name, raw === undefined ? integers(tensor, 7) : int64s(raw));
  }
}

function refused(what: string): RetrainError {
  return new RetrainError('MODEL_INVALID', `the model has ${what}; it is not loaded`);
}

/** A negative number, as a varint has it: a dimension that is whatever is left. */
const NEGATIVE = 2 ** 63;

function requireSmall(op: string, shape: readonly number[]): void {
  const values = shape.reduce((product, size) => product * (size >= NEGATIVE ? 1 : Math.max(1, size)), 1);
  if (values > MOST_VALUES) {
    throw refused(`${op} that makes ${values.toPrecision(3)} values, expected at most ${MOST_VALUES}`);
  }
}

/** Most numbers of a list that are looked at; a shape has a few. */
const MOST_NUMBERS = 64;

/** A repeated whole number, packed or not. */
function integers(message: Uint8Array, number: number): number[] {
  const found: number[] = [];
  for (const field of eachField(message)) {
    if (field.number !== number) continue;
    if (field.wire === 0) found.push(field.int);
    else {
      const reader = new VarintReader(field.bytes);
      while (reader.at < field.bytes.length && found.length < MOST_NUMBERS) found.push(reader.next());
    }
    if (found.length >= MOST_NUMBERS) break;
  }
  return found;
}

function int64s(raw: Uint8Array): number[] {
  const view = new DataView(raw.buffer, raw.byteOffset, raw.byteLength);
  const count = Math.min(MOST_NUMBERS, Math.floor(raw.length / 8));
  return Array.from({ length: count }, (_, i) => Number(view.getBigInt64(8 * i, true)));
}

const utf8 = new TextDecoder();
