import { littleEndian, Message } from './protobuf';

/** Element types of ONNX tensors (TensorProto.DataType). */
export const ELEMENT = { float: 1, int64: 7, string: 8 } as const;
export type Element = keyof typeof ELEMENT;

/** Domain of the classical machine-learning operators. */
export const ML_DOMAIN = 'ai.onnx.ml';

/** Operator sets and file version: the oldest that have all we use, so that the most runtimes read it. */
const IR_VERSION = 7;
const OPSETS = [
  ['', 13],
  [ML_DOMAIN, 3],
] as const;

/** A dimension: its size, or a name for one that differs between calls. */
export type Dimension = number | string;

/**
 * An ONNX graph under construction. Values are named; nodes are written in the order of the calls, which must be
 * an order in which they can be computed. No time, host or random name goes in: equal calls make equal bytes.
 *
 * Format: onnx.proto of https://github.com/onnx/onnx, by its field numbers.
 */
export class Graph {
  private readonly nodes: Message[] = [];
  private readonly initializers: Message[] = [];
  private readonly inputs: Message[] = [];
  private readonly outputs: Message[] = [];
  private readonly outputNames = new Set<string>();
  private readonly taken = new Set<string>();
  /** Per name that was wanted, the next number to try behind it. */
  private readonly numbered = new Map<string, number>();

  /** Declares what callers give. Before the nodes: a name of theirs that is taken gets another. */
  input(name: string, element: Element, shape: readonly Dimension[]): string {
    this.inputs.push(valueInfo(name, element, shape));
    this.taken.add(name);
    return name;
  }

  /** Declares what callers get. Before the node that makes it. */
  output(name: string, element: Element, shape: readonly Dimension[]): string {
    this.outputs.push(valueInfo(name, element, shape));
    this.outputNames.add(name);
    this.taken.add(name);
    return name;
  }

  /** Adds a node with one output, and returns the output's name: the given one, unless it is taken. */
  node(
    op: string,
    inputs: readonly string[],
    wanted: string,
    attributes: Message[] = [],
    domain = '',
  ): string {
    const output = this.outputNames.has(wanted) ? wanted : this.free(wanted);
    const node = new Message();
    for (const input of inputs) node.string(1, input);
    node.string(2, output).string(3, `${op}_${this.nodes.length}`).string(4, op);
    for (const attribute of attributes) node.message(5, attribute);
    if (domain !== '') node.string(7, domain);
    this.nodes.push(node);
    return output;
  }

  floatConstant(wanted: string, shape: readonly number[], values: Float32Array): string {
    const name = this.free(wanted);
    this.initializers.push(tensor(name, 'float', shape).bytes(9, littleEndian(values)));
    return name;
  }

  intConstant(wanted: string, shape: readonly number[], values: readonly number[]): string {
    const name = this.free(wanted);
    const bytes = new Uint8Array(values.length * 8);
    const view = new DataView(bytes.buffer);
    values.forEach((value, i) => {
      view.setBigInt64(i * 8, BigInt(value), true);
    });
    this.initializers.push(tensor(name, 'int64', shape).bytes(9, bytes));
    return name;
  }

  stringConstant(wanted: string, values: readonly string[]): string {
    const name = this.free(wanted);
    this.initializers.push(
      tensor(name, 'string', [values.length]).strings(6, values.length, (i) => values[i] ?? ''),
    );
    return name;
  }

  /** The model file. @param metadata shown by viewers and readable in the runtimes */
  finish(name: string, metadata: Readonly<Record<string, string>>): Uint8Array {
    const graph = new Message();
    for (const node of this.nodes) graph.message(1, node);
    graph.string(2, name);
    for (const initializer of this.initializers) graph.message(5, initializer);
    for (const input of this.inputs) graph.message(11, input);
    for (const output of this.outputs) graph.message(12, output);

    const model = new Message().int(1, IR_VERSION).string(2, 'retrain').string(3, '1').message(7, graph);
    for (const [domain, version] of OPSETS) model.message(8, new Message().string(1, domain).int(2, version));
    for (const [key, value] of Object.entries(metadata)) {
      model.message(14, new Message().string(1, key).string(2, value));
    }
    return model.finish();
  }

  private free(wanted: string): string {
    let name = wanted;
    // Names are never given back, so that those below the last number are taken still.
    let n = this.numbered.get(wanted) ?? 1;
    for (; this.taken.has(name); n++) name = `${wanted}_${n}`;
    this.numbered.set(wanted, n);
    this.taken.add(name);
    return name;
  }
}

function tensor(name: string, element: Element, shape: readonly number[]): Message {
  return new Message().ints(1, shape).int(2, ELEMENT[element]).string(8, name);
}

function valueInfo(name: string, element: Element, shape: readonly Dimension[]): Message {
  const dimensions = new Message();
  for (const size of shape) {
    const dimension = new Message();
    dimensions.message(1, typeof size === 'number' ? dimension.int(1, size) : dimension.string(2, size));
  }
  const tensorType = new Message().int(1, ELEMENT[element]).message(2, dimensions);
  return new Message().string(1, name).message(2, new Message().message(1, tensorType));
}
