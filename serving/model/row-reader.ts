import { plainLine } from '../../contracts/plain-words';
import { shownCell, FLOAT32_MAX } from '../../ml/dataset/cell';
import { type Column } from '../../ml/dataset/raw-table';
import { type CellReader, columnReader } from './cell-reader';
import { FieldNames } from './field-names';
import { type Batch, type FieldMistake, type ModelField } from './served-model';

/** So many mistakes are told. */
const MOST_MISTAKES = 100;

/** Names that every object has something under. */
const INHERITED: ReadonlySet<string> = new Set(Object.getOwnPropertyNames(Object.prototype));

export interface ReaderOptions {
  /** Column by the name that callers use for it. */
  aliases?: Readonly<Record<string, string>> | undefined;
}

type Row = Record<string, unknown>;

/**
 * Reads rows as JSON gives them into columns. What a model takes is looked at once, when the reader is made; a row whose names are the
 * columns' own costs one look-up a column.
 */
export class RowReader {
  private readonly names: FieldNames;
  private readonly own: readonly boolean[];

  constructor(
    private readonly fields: readonly ModelField[],
    options: ReaderOptions = {},
  ) {
    this.names = new FieldNames(fields, options.aliases);
    this.own = fields.map(({ name }) => INHERITED.has(name));
  }

  read(
    rows: readonly unknown[],
    others: 'refused' | 'ignored' = 'refused',
  ): { batch: Batch } | { mistakes: FieldMistake[] } {
    const readers = this.fields.map((field) =>
      columnReader(field, rows.length, field.largest ?? FLOAT32_MAX),
    );
    const mistakes: FieldMistake[] = [];
    for (let i = 0; i < rows.length && mistakes.length < MOST_MISTAKES; i++) {
      const row = rows[i];
      if (typeof row !== 'object' || row === null || Array.isArray(row)) {
        mistakes.push({ row: i, field: '', seen: shownValue(row), expected: this.shape() });
      } else if (!this.readPlain(row as Row, i, readers)) {
        this.readAnyhow(row as Row, i, readers, others, mistakes);
      }
    }
    if (mistakes.length > 0) return { mistakes: mistakes.slice(0, MOST_MISTAKES) };
    const columns: Column[] = readers.map((reader) => reader.finish());
    return { batch: { rows: rows.length, columns } };
  }

  /** A row that is as it should be, with the columns' own names and no other; false for any other. */
  private readPlain(row: Row, at: number, readers: readonly CellReader[]): boolean {
    const { fields, own } = this;
    let found = 0;
    for (let f = 0; f < fields.length; f++) {
      const { name } = fields[f]!;
      if (own[f] === true && !Object.hasOwn(row, name)) return false;
      const value = row[name];
      if (value === undefined || !readers[f]!.take(at, value)) return false;
      found++;
    }
    return Object.keys(row).length === found;
  }

  /** Any other row: each of its names is looked up, and what is wrong is told. */
  private readAnyhow(
    row: Row,
    at: number,
    readers: readonly CellReader[],
    others: 'refused' | 'ignored',
    mistakes: FieldMistake[],
  ): void {
    const { fields, names } = this;
    const givenAs = new Array<string | undefined>(fields.length);
    for (const key of Object.keys(row)) {
      if (mistakes.length >= MOST_MISTAKES) return;
      const value = row[key];
      if (value === undefined) continue;
      const f = names.indexOf(key);
      const field = fields[f];
      const tell = (seen: string, expected: string): void => {
        mistakes.push({ row: at, field: shownName(key), seen, expected });
      };
      if (field === undefined) {
        if (others === 'refused') tell(shownValue(value), this.unknown(key));
        continue;
      }
      const before = givenAs[f];
      givenAs[f] = key;
      if (before !== undefined) {
        tell(shownValue(value), `${field.name} once; it is there as ${shownName(before)}, too`);
      } else if (!readers[f]!.take(at, value)) tell(shownValue(value), expectedOf(field));
    }
    for (const [f, field] of fields.entries()) {
      if (mistakes.length >= MOST_MISTAKES) return;
      if (givenAs[f] !== undefined) continue;
      if (field.optional) readers[f]!.miss(at);
      else mistakes.push({ row: at, field: field.name, seen: 'nothing', expected: expectedOf(field) });
    }
  }

  private unknown(key: string): string {
    const near = this.names.nearest(key);
    if (near !== undefined) return `no such field; did you mean ${near}?`;
    return `no such field; the model takes ${someOf(this.fields)}`;
  }

  private shape(): string {
    return `an object with the fields ${someOf(this.fields)}`;
  }
}

const SOME = 12;

const someOf = (fields: readonly ModelField[]): string =>
  fields
    .slice(0, SOME)
    .map(({ name }) => name)
    .join(', ') + (fields.length > SOME ? ` and ${fields.length - SOME} more` : '');

const WORDS: Record<ModelField['type'], string> = {
  number: 'a finite number within float32 (±3.4e38)',
  integer: 'a whole number',
  text: 'a text',
  boolean: 'true or false',
};

/** What a field takes, in words. */
export function expectedOf({ type, nullable }: ModelField): string {
  return nullable ? `${WORDS[type]}, or null where it is missing` : WORDS[type];
}

/** A value of a stranger as it can stand in a message. */
export function shownValue(value: unknown): string {
  switch (typeof value) {
    case 'string':
      return plainLine(shownCell(value));
    case 'number':
    case 'boolean':
    case 'bigint':
      return String(value).slice(0, 40);
    case 'undefined':
      return 'nothing';
    default:
      return value === null ? 'null' : Array.isArray(value) ? 'a list' : 'an object';
  }
}

const shownName = (name: string): string => plainLine(name.length > 100 ? `${name.slice(0, 100)}…` : name);
