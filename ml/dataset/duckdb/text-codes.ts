import { type DuckDBDataChunk } from '@duckdb/node-api';
import bindings from '@duckdb/node-bindings';
import { type CellRules } from '../cell';
import { type TextBuilder } from '../column-builder';

/** DuckDB's string_t: a length, then 12 bytes that hold the text itself where it fits, zeros behind it. */
const WORDS = 4;
const MOST_INLINE_BYTES = 12;

/** Entries of the table of short texts, a power of 2: twice as many as a column for encoding usually has levels. */
const ENTRIES = 4096;

/**
 * Appends the texts of a column chunk by chunk. Blanks around a text do not count, nor do the words for a missing value; that
 * is looked at here and not in SQL, where a list of words becomes a join, and the rows come out mixed.
 *
 * A text of at most 12 bytes that was met before is recognised by its bytes, without making a JavaScript string of
 * it: ten times as fast.
 */
export class TextCodes {
  /** By the hash of its bytes, the text that was last met there. */
  readonly #met = new Int32Array(ENTRIES * WORDS).fill(-1);
  readonly #codes = new Int32Array(ENTRIES);
  readonly #longer = new Map<string, number>();

  constructor(
    readonly builder: TextBuilder,
    private readonly rules: CellRules,
  ) {}

  append(chunk: DuckDBDataChunk, column: number, rows: number): void {
    const { builder } = this;
    const vector = bindings.data_chunk_get_vector(chunk.chunk, column);
    const bytes = bindings.vector_get_data(vector, rows * WORDS * Int32Array.BYTES_PER_ELEMENT);
    const words = new Int32Array(bytes.buffer, bytes.byteOffset, rows * WORDS);
    // One bit a row; absent where all are valid, though its type does not say so.
    const valid: Uint8Array | null = bindings.vector_get_validity(vector, Math.ceil(rows / 64) * 8);
    const items = chunk.getColumnVector(column);
    for (let row = 0; row < rows; row++) {
      if (valid !== null && ((valid[row >> 3]! >> (row & 7)) & 1) === 0) {
        builder.pushCode(-1);
        continue;
      }
      const at = row * WORDS;
      const [length, a, b, c] = [words[at]!, words[at + 1]!, words[at + 2]!, words[at + 3]!];
      if (length > MOST_INLINE_BYTES) {
        builder.pushCode(this.#codeOf(items.getItem(row)));
        continue;
      }
      const entry = hashOf(length, a, b, c);
      const slot = entry * WORDS;
      const met = this.#met;
      if (met[slot] !== length || met[slot + 1] !== a || met[slot + 2] !== b || met[slot + 3] !== c) {
        met.set([length, a, b, c], slot);
        this.#codes[entry] = this.#codeOf(items.getItem(row));
      }
      builder.pushCode(this.#codes[entry]!);
    }
  }

  #codeOf(text: unknown): number {
    if (typeof text !== 'string') return -1;
    let code = this.#longer.get(text);
    if (code === undefined) {
      code = this.builder.codeOf(this.rules.isMissing(text) ? undefined : text.trim());
      this.#longer.set(text, code);
    }
    return code;
  }
}

function hashOf(length: number, a: number, b: number, c: number): number {
  let hash = Math.imul(length ^ a, 0x9e3779b1);
  hash = Math.imul(hash ^ (hash >>> 15) ^ b, 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13) ^ c, 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) & (ENTRIES - 1);
}
