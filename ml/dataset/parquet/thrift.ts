/**
 * Thrift's compact protocol, the part that Parquet's headers use: structs of i32, i64, binary, list and struct.
 * Format: https://github.com/apache/thrift/blob/master/doc/specs/thrift-compact-protocol.md
 */

const TYPE = {
  true: 1,
  false: 2,
  byte: 3,
  i16: 4,
  i32: 5,
  i64: 6,
  double: 7,
  binary: 8,
  list: 9,
  set: 10,
  struct: 12,
} as const;

/** A value to write, by its Thrift type. */
export type ThriftValue =
  | { i32: number }
  | { i64: number }
  | { text: string }
  | { list: readonly ThriftValue[] }
  | { struct: ThriftStruct };

/** Field number to value, in rising order. */
export type ThriftStruct = readonly (readonly [field: number, value: ThriftValue])[];

/** A struct as bytes. */
export function encodeThrift(struct: ThriftStruct): Buffer {
  const bytes: number[] = [];
  writeStruct(bytes, struct);
  return Buffer.from(bytes);
}

function writeStruct(bytes: number[], struct: ThriftStruct): void {
  let last = 0;
  for (const [field, value] of struct) {
    bytes.push(((field - last) << 4) | typeOf(value));
    writeValue(bytes, value);
    last = field;
  }
  bytes.push(0);
}

function writeValue(bytes: number[], value: ThriftValue): void {
  if ('i32' in value) writeVarint(bytes, zigzag(value.i32));
  else if ('i64' in value) writeVarint(bytes, zigzag(value.i64));
  else if ('text' in value) {
    const text = Buffer.from(value.text);
    writeVarint(bytes, text.length);
    for (const byte of text) bytes.push(byte);
  } else if ('list' in value) {
    const [first] = value.list;
    const type = first === undefined ? TYPE.struct : typeOf(first);
    if (value.list.length < 15) bytes.push((value.list.length << 4) | type);
    else {
      bytes.push(0xf0 | type);
      writeVarint(bytes, value.list.length);
    }
    for (const item of value.list) writeValue(bytes, item);
  } else writeStruct(bytes, value.struct);
}

function typeOf(value: ThriftValue): number {
  if ('i32' in value) return TYPE.i32;
  if ('i64' in value) return TYPE.i64;
  if ('text' in value) return TYPE.binary;
  return 'list' in value ? TYPE.list : TYPE.struct;
}

/** Sizes stay far below 2⁵³, so numbers do for i64. */
const zigzag = (value: number): number => (value < 0 ? -value * 2 - 1 : value * 2);

function writeVarint(bytes: number[], value: number): void {
  let rest = value;
  while (rest >= 0x80) {
    bytes.push((rest % 0x80) | 0x80);
    rest = Math.floor(rest / 0x80);
  }
  bytes.push(rest);
}

/** A decoded value: numbers, texts, lists, and structs by field number. */
export type Decoded = number | string | boolean | Decoded[] | Map<number, Decoded>;

/** Parquet's headers nest five deep. */
const MAX_DEPTH = 64;

/** Reads structs one after the other out of a buffer. */
export class ThriftReader {
  #depth = 0;

  constructor(
    private readonly bytes: Buffer,
    /** Where the next struct starts. */
    public position = 0,
  ) {}

  struct(): Map<number, Decoded> {
    if (++this.#depth > MAX_DEPTH) throw new RangeError('its footer is nested too deep');
    const fields = new Map<number, Decoded>();
    let field = 0;
    for (;;) {
      const header = this.#byte();
      if (header === 0) {
        this.#depth--;
        return fields;
      }
      const delta = header >> 4;
      field = delta === 0 ? this.#signed() : field + delta;
      fields.set(field, this.#value(header & 0x0f));
    }
  }

  /** An unsigned integer of 7 bits a byte, the lowest first. */
  varint(): number {
    let value = 0;
    for (let scale = 1; ; scale *= 0x80) {
      const byte = this.#byte();
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) return value;
    }
  }

  #value(type: number): Decoded {
    switch (type) {
      case TYPE.true:
        return true;
      case TYPE.false:
        return false;
      case TYPE.byte:
        return this.#byte();
      case TYPE.i16:
      case TYPE.i32:
      case TYPE.i64:
        return this.#signed();
      case TYPE.double:
        this.position += 8;
        return this.bytes.readDoubleLE(this.position - 8);
      case TYPE.binary: {
        const length = this.varint();
        if (length > this.bytes.length - this.position)
          throw new RangeError('the Thrift struct ends too early');
        this.position += length;
        return this.bytes.toString('utf8', this.position - length, this.position);
      }
      case TYPE.list:
      case TYPE.set: {
        const header = this.#byte();
        const length = header >> 4 === 15 ? this.varint() : header >> 4;
        // Every item takes a byte at least.
        if (length > this.bytes.length - this.position)
          throw new RangeError('the Thrift struct ends too early');
        if (++this.#depth > MAX_DEPTH) throw new RangeError('its footer is nested too deep');
        const items = Array.from({ length }, () => this.#value(header & 0x0f));
        this.#depth--;
        return items;
      }
      case TYPE.struct:
        return this.struct();
      default:
        throw new RangeError(`Thrift type ${type} is not one that Parquet's headers use`);
    }
  }

  #signed(): number {
    const value = this.varint();
    return value % 2 === 0 ? value / 2 : -(value + 1) / 2;
  }

  #byte(): number {
    const byte = this.bytes[this.position++];
    if (byte === undefined) throw new RangeError('the Thrift struct ends too early');
    return byte;
  }
}
