import { RetrainError } from '../../contracts/errors';
import { Message } from '../../ml/onnx/protobuf';
import { contentsOf, firstOf, textOf, VarintReader } from '../../ml/onnx/protobuf-reader';
import { type TensorType } from './onnx-protocol';

/** An input or output of a graph. */
export interface GraphValue {
  name: string;
  /** Null: no tensor, or one that rows are never made of. */
  type: TensorType | null;
  /** A dimension that is named or unknown is null. */
  shape: readonly (number | null)[];
}

/** What is to be known of an ONNX model of anyone, to ask it. */
export interface ForeignGraph {
  inputs: readonly GraphValue[];
  outputs: readonly GraphValue[];
  /** Class labels that the graph has in it; null: none were found. */
  classes: readonly (string | number)[] | null;
  /** The model without its ZipMap, which makes a table of probabilities into maps that only Python reads; null: as it is. */
  rewritten: Uint8Array | null;
}

/** Field numbers of onnx.proto: https://github.com/onnx/onnx/blob/main/onnx/onnx.proto */
const GRAPH = 7;
const NODE = 1;
const INITIALIZER = 5;
const INPUT = 11;
const OUTPUT = 12;

/** Of TensorProto.DataType. */
const TYPES: Readonly<Record<number, TensorType>> = {
  1: 'float32',
  6: 'int32',
  7: 'int64',
  8: 'string',
  9: 'bool',
  11: 'float64',
};
const FLOAT = 1;
const INT32 = 6;
const INT64 = 7;
const STRING = 8;

/** @throws RetrainError MODEL_INVALID when the bytes are no ONNX model */
export function readForeignGraph(model: Uint8Array): ForeignGraph {
  try {
    const graph = firstOf(model, GRAPH)?.bytes;
    if (graph === undefined) throw new RangeError('it has no graph');
    const zipMaps = zipMapsOf(graph);
    const constants = new Set(contentsOf(graph, INITIALIZER).map((tensor) => textOf(tensor, 8)));
    return {
      inputs: contentsOf(graph, INPUT)
        .map(valueOf)
        .filter(({ name }) => !constants.has(name)),
      outputs: contentsOf(graph, OUTPUT).map((info) => {
        const zipMap = zipMaps.get(textOf(info, 1));
        return zipMap === undefined ? valueOf(info) : { name: zipMap, type: 'float32', shape: [null, null] };
      }),
      classes: classesOf(graph),
      rewritten: zipMaps.size === 0 ? null : withoutZipMaps(model, zipMaps),
    };
  } catch (cause) {
    if (!(cause instanceof RangeError)) throw cause;
    throw new RetrainError('MODEL_INVALID', `the bytes are no ONNX model: ${cause.message}`, { cause });
  }
}

function valueOf(info: Uint8Array): GraphValue {
  const name = textOf(info, 1);
  const tensor = firstOf(firstOf(info, 2)?.bytes ?? EMPTY, 1)?.bytes;
  if (tensor === undefined) return { name, type: null, shape: [] };
  const shape = contentsOf(firstOf(tensor, 2)?.bytes ?? EMPTY, 1).map(
    (dimension) => firstOf(dimension, 1)?.int ?? null,
  );
  return { name, type: TYPES[firstOf(tensor, 1)?.int ?? 0] ?? null, shape };
}

/** Of the graph's ZipMap nodes whose maps are an output: the name of the probabilities by the name of the maps. */
function zipMapsOf(graph: Uint8Array): Map<string, string> {
  const outputs = new Set(contentsOf(graph, OUTPUT).map((info) => textOf(info, 1)));
  const found = new Map<string, string>();
  for (const node of contentsOf(graph, NODE)) {
    const made = textOf(node, 2);
    if (textOf(node, 4) === 'ZipMap' && outputs.has(made)) found.set(made, textOf(node, 1));
  }
  return found;
}

/** Attributes of ai.onnx.ml's classifiers and of ZipMap that hold the labels. */
const LABELS = new Set(['classlabels_strings', 'classlabels_int64s', 'classlabels_ints']);

/** More than this are no classes. */
const MOST_CLASSES = 10_000;

/** The labels of the last node that has some; else a constant whose name says so, as skl2onnx writes them. */
function classesOf(graph: Uint8Array): (string | number)[] | null {
  let found: (string | number)[] | null = null;
  for (const node of contentsOf(graph, NODE)) {
    for (const attribute of contentsOf(node, 5)) {
      if (!LABELS.has(textOf(attribute, 1))) continue;
      const texts = contentsOf(attribute, 9).map((text) => utf8.decode(text));
      const labels = texts.length > 0 ? texts : integersOf(attribute, 8);
      if (labels.length > 1 && labels.length <= MOST_CLASSES) found = labels;
    }
  }
  if (found !== null) return found;
  for (const tensor of contentsOf(graph, INITIALIZER)) {
    if (!/class/i.test(textOf(tensor, 8))) continue;
    const labels = labelsOf(tensor);
    if (labels.length > 1 && labels.length <= MOST_CLASSES) found = labels;
  }
  return found;
}

function labelsOf(tensor: Uint8Array): (string | number)[] {
  const type = firstOf(tensor, 2)?.int;
  if (type === STRING) return contentsOf(tensor, 6).map((text) => utf8.decode(text));
  if (type !== INT64 && type !== INT32) return [];
  const raw = firstOf(tensor, 9)?.bytes;
  if (raw === undefined) return integersOf(tensor, type === INT64 ? 7 : 5);
  const view = new DataView(raw.buffer, raw.byteOffset, raw.byteLength);
  const width = type === INT64 ? 8 : 4;
  return Array.from({ length: Math.min(MOST_CLASSES + 1, Math.floor(raw.length / width)) }, (_, i) =>
    type === INT64 ? Number(view.getBigInt64(8 * i, true)) : view.getInt32(4 * i, true),
  );
}

/** A repeated int64, packed or not. */
function integersOf(message: Uint8Array, number: number): number[] {
  const found: number[] = [];
  const reader = new VarintReader(message);
  while (reader.at < message.length && found.length <= MOST_CLASSES) {
    const key = reader.next();
    const wire = key % 8;
    const start = reader.at;
    if (wire === 0) reader.next();
    const content =
      wire === 0
        ? message.subarray(start, reader.at)
        : reader.take(wire === 2 ? reader.next() : wire === 1 ? 8 : 4);
    if (Math.floor(key / 8) === number && (wire === 0 || wire === 2)) found.push(...signedIntegers(content));
  }
  return found;
}

/** Varints of 64 bits with a sign, one after the other: the reader of protobuf knows none. */
function signedIntegers(bytes: Uint8Array): number[] {
  const found: number[] = [];
  let value = 0n;
  let shift = 0n;
  for (const byte of bytes) {
    value |= BigInt(byte & 0x7f) << shift;
    shift += 7n;
    if (byte >= 0x80 && shift < 70n) continue;
    found.push(Number(BigInt.asIntN(64, value)));
    if (found.length > MOST_CLASSES) return found;
    value = 0n;
    shift = 0n;
  }
  return found;
}

/** The model with its ZipMap nodes left out and their tables of probabilities as outputs. */
function withoutZipMaps(model: Uint8Array, zipMaps: ReadonlyMap<string, string>): Uint8Array {
  return mapFields(model, (field, content) =>
    field === GRAPH ? [new Message().bytes(GRAPH, graphWithout(content, zipMaps)).finish()] : null,
  );
}

function graphWithout(graph: Uint8Array, zipMaps: ReadonlyMap<string, string>): Uint8Array {
  return mapFields(graph, (field, content) => {
    if (field === NODE && textOf(content, 4) === 'ZipMap' && zipMaps.has(textOf(content, 2))) return [];
    const table = field === OUTPUT ? zipMaps.get(textOf(content, 1)) : undefined;
    if (table === undefined) return null;
    const type = new Message().message(1, new Message().int(1, FLOAT));
    return [new Message().message(OUTPUT, new Message().string(1, table).message(2, type)).finish()];
  });
}

/**
 * A message with some of its fields replaced; all others stay as they are, byte for byte.
 *
 * @param change the fields in place of one; null: it stays
 */
function mapFields(
  message: Uint8Array,
  change: (field: number, content: Uint8Array) => Uint8Array[] | null,
): Uint8Array {
  const reader = new VarintReader(message);
  const parts: Uint8Array[] = [];
  while (reader.at < message.length) {
    const start = reader.at;
    const key = reader.next();
    const wire = key % 8;
    let content: Uint8Array = EMPTY;
    if (wire === 0) reader.next();
    else content = reader.take(wire === 2 ? reader.next() : wire === 1 ? 8 : 4);
    const changed = wire === 2 ? change(Math.floor(key / 8), content) : null;
    parts.push(...(changed ?? [message.subarray(start, reader.at)]));
  }
  return Buffer.concat(parts);
}

const EMPTY = new Uint8Array();
const utf8 = new TextDecoder('utf-8', { ignoreBOM: true });
