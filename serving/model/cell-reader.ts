import { type Column } from '../../ml/dataset/raw-table';
import { type ModelField } from './served-model';

/** Puts the cells of one column into their places. */
export interface CellReader {
  /** @returns false when the field does not take such a value */
  take(row: number, value: unknown): boolean;
  miss(row: number): void;
  finish(): Column;
}

/** @param largest number that the field takes, by its amount */
export function columnReader(field: ModelField, rows: number, largest: number): CellReader {
  return field.type === 'text' ? new Texts(field, rows) : new Numbers(field, rows, largest);
}

class Numbers implements CellReader {
  private readonly values: Float64Array;

  constructor(
    private readonly field: ModelField,
    rows: number,
    private readonly largest: number,
  ) {
    this.values = new Float64Array(rows);
  }

  take(row: number, value: unknown): boolean {
    const { type, nullable } = this.field;
    if (type === 'boolean') {
      if (value === true || value === false) this.values[row] = Number(value);
      else return this.missed(row, value, nullable);
      return true;
    }
    if (typeof value !== 'number') return this.missed(row, value, nullable);
    // NaN fails every comparison.
    if (!(value <= this.largest && value >= -this.largest)) return false;
    if (type === 'integer' && !Number.isSafeInteger(value)) return false;
    this.values[row] = value;
    return true;
  }

  miss(row: number): void {
    this.values[row] = Number.NaN;
  }

  finish(): Column {
    return { kind: 'number', name: this.field.name, values: this.values };
  }

  private missed(row: number, value: unknown, nullable: boolean): boolean {
    if (value !== null || !nullable) return false;
    this.miss(row);
    return true;
  }
}

/** A text is a code: its place among the levels of the training, or behind them. */
class Texts implements CellReader {
  private readonly codes: Int32Array;
  /** Texts that no training row had; none of them is kept for longer than the batch. */
  private unseen: Map<string, number> | undefined;

  constructor(
    private readonly field: ModelField,
    rows: number,
  ) {
    this.codes = new Int32Array(rows);
  }

  take(row: number, value: unknown): boolean {
    if (value === null) {
      if (this.field.nullable) this.miss(row);
      return this.field.nullable;
    }
    if (typeof value !== 'string') {
      // As `text_of` of the pyfunc loader does: a column of codes may be numbers in somebody's JSON.
      return typeof value === 'number' && Number.isSafeInteger(value) && this.put(row, String(value));
    }
    return this.put(row, value.trim());
  }

  miss(row: number): void {
    this.codes[row] = -1;
  }

  finish(): Column {
    const { name, levels } = this.field;
    const known = levels ?? [];
    return {
      kind: 'text',
      name,
      codes: this.codes,
      levels: this.unseen === undefined ? (known as string[]) : [...known, ...this.unseen.keys()],
    };
  }

  private put(row: number, text: string): boolean {
    if (text === '') {
      if (this.field.nullable) this.miss(row);
      return this.field.nullable;
    }
    const { levels } = this.field;
    const code = levels === null ? undefined : placesOf(levels).get(text);
    if (code !== undefined) {
      this.codes[row] = code;
      return true;
    }
    this.unseen ??= new Map();
    const other = this.unseen.get(text) ?? (levels?.length ?? 0) + this.unseen.size;
    this.unseen.set(text, other);
    this.codes[row] = other;
    return true;
  }
}

const places = new WeakMap<readonly string[], ReadonlyMap<string, number>>();

/** The place of each level, worked out once for a list that stays. */
export function placesOf(levels: readonly string[]): ReadonlyMap<string, number> {
  let found = places.get(levels);
  if (found === undefined) {
    found = new Map(levels.map((level, place) => [level, place]));
    places.set(levels, found);
  }
  return found;
}
