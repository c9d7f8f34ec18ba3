import { closeSync, openSync, readSync, statSync } from 'node:fs';

/** Where a field of a protobuf message stands in a file. */
interface Place {
  number: number;
  /** 2: it has content, from `at` to `end`. */
  wire: number;
  at: number;
  end: number;
}

const WINDOW = 64 << 10;

/** Fields that are looked at; a graph of thousands of nodes has thousands. */
const MOST_FIELDS = 1_000_000;

/** Bytes of a graph that are kept: what it takes and gives, and the names of its constants. */
const MOST_KEPT = 16 << 20;

/**
 * The part of an ONNX file that says what the model takes and gives: a graph with its inputs, its outputs, and its constants
 * by name alone. Nodes and weights are passed over unread, so that a file of gigabytes costs no more than a small one.
 *
 * Format: onnx.proto of https://github.com/onnx/onnx, by its field numbers; https://protobuf.dev/programming-guides/encoding/
 *
 * @throws RangeError when the file is no ONNX model
 */
export function skimGraph(path: string): Uint8Array {
  const fd = openSync(path, 'r');
  try {
    const reader = new FileReader(fd);
    const graph = [...reader.fields(0, statSync(path).size)].find(({ number }) => number === 7);
    if (graph === undefined) throw new RangeError('it has no graph');
    const kept: Uint8Array[] = [];
    let bytes = 0;
    const keep = (number: number, content: Uint8Array): void => {
      bytes += content.length;
      if (bytes > MOST_KEPT) throw new RangeError(`its inputs and outputs take more than ${MOST_KEPT} bytes`);
      kept.push(field(number, content));
    };
    for (const { number, at, end } of reader.fields(graph.at, graph.end)) {
      if (number === 11 || number === 12) keep(number, reader.bytes(at, end));
      if (number !== 5) continue;
      const name = [...reader.fields(at, end)].find((one) => one.number === 8);
      if (name !== undefined) keep(5, field(8, reader.bytes(name.at, name.end)));
    }
    return Buffer.concat(kept);
  } finally {
    closeSync(fd);
  }
}

/** A field with content, as it is written. */
function field(number: number, content: Uint8Array): Uint8Array {
  const head: number[] = [number * 8 + 2];
  let length = content.length;
  for (; length >= 0x80; length = Math.floor(length / 0x80)) head.push((length % 0x80) + 0x80);
  return Buffer.concat([Buffer.from([...head, length]), content]);
}

/** Reads fields of messages by where they stand; what a field holds is read only when it is asked for. */
class FileReader {
  private readonly window = Buffer.alloc(WINDOW);
  private from = 0;
  private filled = 0;
  private seen = 0;

  constructor(private readonly fd: number) {}

  *fields(start: number, end: number): Generator<Place, undefined> {
    let at = start;
    while (at < end) {
      if (++this.seen > MOST_FIELDS) throw new RangeError(`it has more than ${MOST_FIELDS} parts`);
      const key = this.varint(at, end);
      at = key.next;
      const number = Math.floor(key.value / 8);
      const wire = key.value % 8;
      const length = wire === 2 ? this.varint(at, end) : undefined;
      if (length !== undefined) at = length.next;
      const next = at + this.span(wire, at, end, length?.value ?? 0);
      if (next > end) throw new RangeError('it ends too early');
      yield { number, wire, at, end: next };
      at = next;
    }
    return undefined;
  }

  bytes(at: number, end: number): Uint8Array {
    if (end - at > MOST_KEPT) throw new RangeError(`a part of it has ${end - at} bytes`);
    const content = Buffer.alloc(end - at);
    readSync(this.fd, content, 0, content.length, at);
    return content;
  }

  /** Bytes that the value of a field takes. */
  private span(wire: number, at: number, end: number, length: number): number {
    switch (wire) {
      case 0:
        return this.varint(at, end).next - at;
      case 1:
        return 8;
      case 2:
        return length;
      case 5:
        return 4;
      default:
        throw new RangeError(`byte ${at} starts no field`);
    }
  }

  private varint(at: number, end: number): { value: number; next: number } {
    let value = 0;
    let scale = 1;
    for (let i = 0; i < 10 && at + i < end; i++, scale *= 0x80) {
      const byte = this.byte(at + i);
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) return { value, next: at + i + 1 };
    }
    throw new RangeError('it ends too early, or has a number of more than 64 bits');
  }

  private byte(at: number): number {
    if (at < this.from || at >= this.from + this.filled) {
      this.filled = readSync(this.fd, this.window, 0, WINDOW, at);
      this.from = at;
      if (this.filled === 0) throw new RangeError('it ends too early');
    }
    return this.window[at - this.from]!;
  }
}
