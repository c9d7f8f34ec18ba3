import { Message } from './protobuf';

/** AttributeProto of ONNX: field numbers and types as in onnx.proto. */
const FIELD = { name: 1, float: 2, int: 3, string: 4, floats: 7, ints: 8, strings: 9, type: 20 } as const;
const TYPE = { float: 1, int: 2, string: 3, floats: 6, ints: 7, strings: 8 } as const;

function attribute(name: string, type: keyof typeof TYPE): Message {
  return new Message().string(FIELD.name, name).int(FIELD.type, TYPE[type]);
}

export const intAttribute = (name: string, value: number): Message =>
  attribute(name, 'int').int(FIELD.int, value);

export const floatAttribute = (name: string, value: number): Message =>
  attribute(name, 'float').float(FIELD.float, value);

export const stringAttribute = (name: string, value: string): Message =>
  attribute(name, 'string').string(FIELD.string, value);

export const intsAttribute = (name: string, values: ArrayLike<number>): Message =>
  attribute(name, 'ints').ints(FIELD.ints, values);

export const floatsAttribute = (name: string, values: Float32Array): Message =>
  attribute(name, 'floats').floats(FIELD.floats, values);

/** `count` strings, the i-th `at(i)`. */
export const stringsAttribute = (name: string, count: number, at: (i: number) => string): Message =>
  attribute(name, 'strings').strings(FIELD.strings, count, at);
