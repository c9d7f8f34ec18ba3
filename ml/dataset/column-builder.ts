import { type Column, type NumberColumn, type TextColumn } from './raw-table';

/** Grows a column of numbers row by row. */
export class NumberBuilder {
  #values = new Float64Array(1024);
  #length = 0;

  constructor(private readonly name: string) {}

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
  #codes = new Int32Array(1024);
  #length = 0;
  readonly #levels: string[] = [];
  readonly #codeOf = new Map<string, number>();

  constructor(private readonly name: string) {}

  /** @param text undefined: missing. */
  push(text: string | undefined): void {
    if (this.#length === this.#codes.length) {
      const larger = new Int32Array(this.#length * 2);
      larger.set(this.#codes);
      this.#codes = larger;
    }
    this.#codes[this.#length++] = text === undefined ? -1 : this.#code(text);
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
