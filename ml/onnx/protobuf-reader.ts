/** One field of a protobuf message as it stands in the bytes. */
export interface Field {
  /** Its number in the message's definition. */
  number: number;
  /** How it is written: 0 a whole number, 2 bytes of a length, 1 and 5 eight and four bytes. */
  wire: number;
  /** The value of a whole number; 0 for other fields. */
  int: number;
  /** The content of a string, of bytes, of a message or of packed numbers, or the bytes of a fixed-width number. */
  bytes: Uint8Array;
}

const EMPTY = new Uint8Array();

/** Bytes of a whole number at most: 64 bits, seven in each. */
const LONGEST_INT = 10;

/**
 * The fields of a protobuf message, in order. Whole numbers of 2^53 and more lose their last digits.
 *
 * Format: https://protobuf.dev/programming-guides/encoding/
 *
 * @throws RangeError when the bytes are no message.
 */
export function* eachField(bytes: Uint8Array): Generator<Field, undefined> {
  const reader = new VarintReader(bytes);
  while (reader.at < bytes.length) {
    const key = reader.next();
    const number = Math.floor(key / 8);
    const wire = key % 8;
    switch (wire) {
      case 0:
        yield { number, wire, int: reader.next(), bytes: EMPTY };
        break;
      case 1:
        yield { number, wire, int: 0, bytes: reader.take(8) };
        break;
      case 2:
        yield { number, wire, int: 0, bytes: reader.take(reader.next()) };
        break;
      case 5:
        yield { number, wire, int: 0, bytes: reader.take(4) };
        break;
      default:
        throw new RangeError(`byte ${reader.at} starts no field`);
    }
  }
  return undefined;
}

/** The contents of all fields of a number, in order. */
export function contentsOf(message: Uint8Array, number: number): Uint8Array[] {
  const found: Uint8Array[] = [];
  for (const field of eachField(message)) if (field.number === number) found.push(field.bytes);
  return found;
}

/** The first field of a number. */
export function firstOf(message: Uint8Array, number: number): Field | undefined {
  for (const field of eachField(message)) if (field.number === number) return field;
  return undefined;
}

/** The text of the first field of a number; empty when there is none. */
export function textOf(message: Uint8Array, number: number): string {
  return utf8.decode(firstOf(message, number)?.bytes ?? EMPTY);
}

const utf8 = new TextDecoder('utf-8', { ignoreBOM: true });

/** Reads whole numbers one after the other. */
export class VarintReader {
  at = 0;

  constructor(private readonly bytes: Uint8Array) {}

  /** @throws RangeError at the end, or when the number has more than 64 bits. */
  next(): number {
    const { bytes } = this;
    const first = bytes[this.at]!;
    if (first < 0x80) {
      this.at++;
      return first;
    }
    let value = 0;
    let scale = 1;
    for (let i = 0; i < LONGEST_INT; i++, scale *= 0x80) {
      const byte = bytes[this.at++];
      if (byte === undefined) throw new RangeError('it ends too early');
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) return value;
    }
    throw new RangeError(`byte ${this.at} is part of a number of more than 64 bits`);
  }

  /** @throws RangeError when there are not so many bytes left. */
  take(length: number): Uint8Array {
    if (length > this.bytes.length - this.at) throw new RangeError('it ends too early');
    const taken = this.bytes.subarray(this.at, this.at + length);
    this.at += length;
    return taken;
  }
}
