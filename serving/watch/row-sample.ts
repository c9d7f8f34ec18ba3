import { type Column } from '../../ml/dataset/raw-table';
import { TextBuilder } from '../../ml/dataset/column-builder';
import { Reservoir } from '../../ml/drift/reservoir';
import { Random } from '../../ml/random/random';

/** A column to be sampled. */
export interface SampledColumn {
  name: string;
  kind: 'number' | 'text';
}

/** Rows that are kept of a stream at most, and cells: 80 MB of numbers. */
const MOST_ROWS = 200_000;
const MOST_CELLS = 10_000_000;

/**
 * A sample of the rows of a stream, held by column: all of them where they are not too many. Numbers are rounded to float32, as those of the
 * training rows are: 0.1 is the same on both sides.
 */
export class RowSample {
  private readonly reservoir: Reservoir;
  private readonly cells: (Float64Array | (string | null)[])[];
  private room = 0;
  private readonly from: number[] = [];

  constructor(
    private readonly columns: readonly SampledColumn[],
    seed: number,
  ) {
    const most = Math.max(1000, Math.min(MOST_ROWS, Math.floor(MOST_CELLS / Math.max(1, columns.length))));
    this.reservoir = new Reservoir(most, new Random(seed, 0x726f_7773));
    this.cells = columns.map(({ kind }) => (kind === 'number' ? new Float64Array() : []));
  }

  /** Rows that went by. */
  get of(): number {
    return this.reservoir.seen;
  }

  /** Rows that are kept. */
  get rows(): number {
    return Math.min(this.reservoir.seen, this.reservoir.size);
  }

  /** Adds a row; `numberOf` and `textOf` are asked only if it is kept. NaN and null: missing. */
  add(numberOf: (column: number) => number, textOf: (column: number) => string | null): void {
    const place = this.reservoir.place();
    if (place === null) return;
    if (place >= this.room) this.grow();
    this.from[place] = this.reservoir.seen - 1;
    for (let c = 0; c < this.cells.length; c++) {
      const cells = this.cells[c]!;
      if (cells instanceof Float64Array) cells[place] = Math.fround(numberOf(c));
      else cells[place] = textOf(c);
    }
  }

  /** `[rows]` which row of the stream each is, from 0. */
  get positions(): Uint32Array {
    return Uint32Array.from(this.from);
  }

  /** The rows so far; in their order where all were kept. */
  finish(): Column[] {
    const { rows } = this;
    return this.columns.map(({ name }, c): Column => {
      const cells = this.cells[c]!;
      if (cells instanceof Float64Array) return { kind: 'number', name, values: cells.slice(0, rows) };
      const builder = new TextBuilder(name, Math.max(1, rows));
      for (const text of cells) builder.push(text ?? undefined);
      return builder.finish();
    });
  }

  private grow(): void {
    this.room = Math.min(this.reservoir.size, Math.max(1024, 2 * this.room));
    this.cells.forEach((cells, c) => {
      if (!(cells instanceof Float64Array)) return;
      const larger = new Float64Array(this.room);
      larger.set(cells);
      this.cells[c] = larger;
    });
  }
}
