import { type Column, type NumberColumn, type TextColumn } from './raw-table';

/** Grows a column of numbers row by row. */
export class NumberBuilder {
  #values: Float64Array;
  #length = 0;

  /** @param rows How many there will be, if that is known: nothing is copied then. */
  constructor(
    private readonly name: string,
    rows = 1024,
  ) {
    this.#values = new Float64Array(rows);
  }

  push(value: number): void {
    this.reserve(1);
    this.#values[this.#length++] = value;
  }

  /** Adds many at once. */
  append(values: Float64Array): void {
    this.reserve(values.length);
    this.#values.set(values, this.#length);
    this.#length += values.length;
  }

  finish(): NumberColumn {
    return { kind: 'number', name: this.name, values: this.#values.subarray(0, this.#length) };
  }

  private reserve(more: number): void {
    if (this.#length + more <= this.#values.length) return;
    const larger = new Float64Array(Math.max(this.#values.length * 2, this.#length + more));
    larger.set(this.#values.subarray(0, this.#length));
    this.#values = larger;
  }
}

/** Grows a column of texts row by row; equal texts are stored once. */
export class TextBuilder {
  #codes: Int32Array;
  #length = 0;
  readonly #levels: string[] = [];
  readonly #codeOf = new Map<string, number>();

  /** @param rows How many there will be, if that is known. */
  constructor(
    private readonly name: string,
    rows = 1024,
  ) {
    this.#codes = new Int32Array(rows);
  }

  /** @param text undefined: missing. */
  push(text: string | undefined): void {
    this.pushCode(this.codeOf(text));
  }

  /** Adds a text by its code. */
  pushCode(code: number): void {
    if (this.#length === this.#codes.length) {
      const larger = new Int32Array(Math.max(1024, this.#length * 2));
      larger.set(this.#codes);
      this.#codes = larger;
    }
    this.#codes[this.#length++] = code;
  }

  /** The code of a text, a new one if need be; -1 for a missing one. */
  codeOf(text: string | undefined): number {
    return text === undefined ? -1 : this.#code(text);
  }

  finish(): TextColumn {
    return {
      kind: 'text',
      name: this.name,
      codes: this.#codes.subarray(0, this.#length),
      levels: this.#levels,
    };
  }

  #code(text: string): number {
    let code = this.#codeOf.get(text);
    if (code === undefined) {
      code = this.#levels.length;
      this.#codeOf.set(text, code);
      this.#levels.push(text);
    }
    return code;
  }
}

export type ColumnBuilder = NumberBuilder | TextBuilder;

export const finished = (builders: readonly ColumnBuilder[]): Column[] =>
  builders.map((builder) => builder.finish());
