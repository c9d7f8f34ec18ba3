import { contentsOf, eachField, firstOf, textOf } from './protobuf-reader';
import { interfaceOf, type OnnxValue } from './read-interface';

/** Most fields of a graph that is read into parts; those that `Graph` writes have a few per column. */
const MOST_FIELDS = 500_000;

/** A node of a graph. */
export interface NodePart {
  op: string;
  inputs: string[];
  output: string;
  /** Each attribute's message by its name, in order. */
  attributes: Map<string, Uint8Array>;
}

/** A graph as `Graph` writes it, taken apart again. */
export interface GraphParts {
  name: string;
  nodes: NodePart[];
  inputs: OnnxValue[];
  outputs: OnnxValue[];
  /** The messages of constants, by name. */
  constants: Map<string, Uint8Array>;
  metadata: Map<string, string>;
}

/** Takes a model file apart. @throws RangeError when the bytes are no ONNX model, or one of more parts than ours. */
export function graphParts(model: Uint8Array): GraphParts {
  const graph = firstOf(model, 7)?.bytes;
  if (graph === undefined) throw new RangeError('it has no graph');
  let fields = 0;
  for (const message of [model, graph]) {
    for (const field of eachField(message)) {
      fields += field.number > 0 ? 1 : 0;
      if (fields > MOST_FIELDS) throw new RangeError('it has too many parts');
    }
  }
  const { inputs, outputs } = interfaceOf(graph);
  return {
    name: textOf(graph, 2),
    nodes: contentsOf(graph, 1).map(nodeOf),
    inputs,
    outputs,
    constants: new Map(contentsOf(graph, 5).map((tensor) => [textOf(tensor, 8), tensor])),
    metadata: new Map(contentsOf(model, 14).map((entry) => [textOf(entry, 1), textOf(entry, 2)])),
  };
}

function nodeOf(node: Uint8Array): NodePart {
  const utf8 = new TextDecoder();
  return {
    op: textOf(node, 4),
    inputs: contentsOf(node, 1).map((name) => utf8.decode(name)),
    output: textOf(node, 2),
    attributes: new Map(contentsOf(node, 5).map((attribute) => [textOf(attribute, 1), attribute])),
  };
}

/** The numbers of a constant of float32. @throws RangeError */
export function floatsOf(tensor: Uint8Array | undefined): Float32Array {
  const bytes = tensor === undefined ? undefined : firstOf(tensor, 9)?.bytes;
  if (bytes === undefined || bytes.length % 4 !== 0) throw new RangeError('a constant is not there');
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return Float32Array.from({ length: bytes.length / 4 }, (_, i) => view.getFloat32(4 * i, true));
}
