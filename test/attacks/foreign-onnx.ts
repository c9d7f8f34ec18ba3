import { Message } from '../../ml/onnx/protobuf';

const FLOAT = 1;
export const INT64 = 7;

export const tensor = (name: string, type: number, shape: number[]): Message =>
  new Message().ints(1, shape).int(2, type).string(8, name);

/** int64s as they lie in memory. */
export const numbers = (name: string, values: number[]): Message => {
  const raw = Buffer.alloc(8 * values.length);
  values.forEach((value, i) => raw.writeBigInt64LE(BigInt(value), 8 * i));
  return tensor(name, INT64, [values.length]).bytes(9, raw);
};

export const node = (op: string, inputs: string[], output: string, attributes: Message[] = []): Message => {
  const message = new Message();
  for (const input of inputs) message.string(1, input);
  message.string(2, output).string(4, op);
  for (const attribute of attributes) message.message(5, attribute);
  return message;
};

const value = (name: string, sizes: (number | string)[]): Message => {
  const shape = new Message();
  for (const size of sizes) {
    shape.message(1, typeof size === 'number' ? new Message().int(1, size) : new Message().string(2, size));
  }
  const type = new Message().message(1, new Message().int(1, FLOAT).message(2, shape));
  return new Message().string(1, name).message(2, type);
};

/** A model of one input, `input`, that gives `prediction`. */
export function model(nodes: Message[], constants: Message[] = []): Uint8Array {
  const graph = new Message();
  for (const one of nodes) graph.message(1, one);
  graph.string(2, 'foreign');
  for (const constant of constants) graph.message(5, constant);
  graph.message(11, value('input', ['N', 2])).message(12, value('prediction', ['N', 1]));
  return new Message()
    .int(1, 7)
    .message(7, graph)
    .message(8, new Message().string(1, '').int(2, 13))
    .finish();
}

/** A model that makes 36 GB out of three rows of two numbers: the size is known only when it runs. @param factor of rows and of columns */
export function dynamicBomb(factor = [30_000, 50_000]): Uint8Array {
  return model(
    [
      node('Shape', ['input'], 'shape'),
      node('Mul', ['shape', 'factor'], 'large'),
      node('ConstantOfShape', ['large'], 'zeros'),
      node('ReduceSum', ['zeros', 'axes'], 'prediction'),
    ],
    [numbers('factor', factor), numbers('axes', [1])],
  );
}
