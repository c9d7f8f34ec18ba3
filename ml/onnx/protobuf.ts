const LENGTH_DELIMITED = 2;
const utf8 = new TextEncoder();

/**
 * One protobuf message under construction: a list of byte chunks, so that nesting copies nothing and a model of
 * hundreds of MB is copied once, in `finish`. Only the parts of the format that ONNX needs; numbers are
 * non-negative integers below 2^53. Equal calls make equal bytes.
 *
 * Format: https://protobuf.dev/programming-guides/encoding/
 */
export class Message {
  private readonly chunks: Uint8Array[] = [];
  private length = 0;

  /** An int32, int64 or enum field. */
  int(field: number, value: number): this {
    return this.push(varint(field * 8)).push(varint(value));
  }

  float(field: number, value: number): this {
    const bytes = new Uint8Array(4);
    new DataView(bytes.buffer).setFloat32(0, value, true);
    return this.push(varint(field * 8 + 5)).push(bytes);
  }

  string(field: number, value: string): this {
    return this.bytes(field, utf8.encode(value));
  }

  bytes(field: number, value: Uint8Array): this {
    return this.header(field, value.length).push(value);
  }

  message(field: number, value: Message): this {
    this.header(field, value.length);
    for (const chunk of value.chunks) this.push(chunk);
    return this;
  }

  /** A repeated integer field, packed. */
  ints(field: number, values: ArrayLike<number>): this {
    let size = 0;
    for (let i = 0; i < values.length; i++) size += varintSize(values[i] ?? 0);
    const bytes = new Uint8Array(size);
    let at = 0;
    for (let i = 0; i < values.length; i++) at = putVarint(bytes, at, values[i] ?? 0);
    return this.bytes(field, bytes);
  }

  /** A repeated float field, packed. */
  floats(field: number, values: Float32Array): this {
    return this.bytes(field, littleEndian(values));
  }

  /** A repeated string field of `count` strings, the i-th `at(i)`. Few different strings, in any number, cost little. */
  strings(field: number, count: number, at: (i: number) => string): this {
    const encoded = new Map<string, Uint8Array>();
    const entry = (text: string): Uint8Array => {
      const known = encoded.get(text);
      if (known !== undefined) return known;
      const fresh = new Message().string(field, text).finish();
      encoded.set(text, fresh);
      return fresh;
    };
    let size = 0;
    for (let i = 0; i < count; i++) size += entry(at(i)).length;
    const bytes = new Uint8Array(size);
    let end = 0;
    for (let i = 0; i < count; i++) {
      const piece = entry(at(i));
      bytes.set(piece, end);
      end += piece.length;
    }
    return this.push(bytes);
  }

  finish(): Uint8Array {
    const bytes = new Uint8Array(this.length);
    let at = 0;
    for (const chunk of this.chunks) {
      bytes.set(chunk, at);
      at += chunk.length;
    }
    return bytes;
  }

  private header(field: number, length: number): this {
    return this.push(varint(field * 8 + LENGTH_DELIMITED)).push(varint(length));
  }

  private push(chunk: Uint8Array): this {
    if (chunk.length > 0) this.chunks.push(chunk);
    this.length += chunk.length;
    return this;
  }
}

/** The values' bytes in little-endian order, as protobuf and ONNX tensors want them. */
export function littleEndian(values: Float32Array): Uint8Array {
  const bytes = new Uint8Array(values.length * 4);
  const view = new DataView(bytes.buffer);
  for (let i = 0; i < values.length; i++) view.setFloat32(i * 4, values[i] ?? 0, true);
  return bytes;
}

function varint(value: number): Uint8Array {
  const bytes = new Uint8Array(varintSize(value));
  putVarint(bytes, 0, value);
  return bytes;
}

function varintSize(value: number): number {
  let size = 1;
  for (let rest = value; rest >= 128; rest = Math.floor(rest / 128)) size++;
  return size;
}

function putVarint(bytes: Uint8Array, start: number, value: number): number {
  let at = start;
  let rest = value;
  while (rest >= 128) {
    bytes[at++] = (rest % 128) + 128;
    rest = Math.floor(rest / 128);
  }
  bytes[at++] = rest;
  return at;
}
