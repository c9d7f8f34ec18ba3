import { type Column } from '../ml/dataset/raw-table';
import { type Random } from '../ml/random/random';

/** What becomes of a table. */
export type Change =
  | { kind: 'shift'; by: number }
  | { kind: 'missing'; share: number }
  | { kind: 'level'; share: number }
  | { kind: 'uncoupled' };

const bell = (random: Random): number =>
  Math.sqrt(-2 * Math.log1p(-random.float())) * Math.cos(2 * Math.PI * random.float());

/**
 * A table of columns of different looks: two bells that go together (0.8), then in turn a skewed one, one with ties, one with gaps, and texts
 * with a long tail.
 */
export function mixedTable(rows: number, columns: number, random: Random): Column[] {
  const first = Float64Array.from({ length: rows }, () => bell(random));
  const second = first.map((value) => 0.8 * value + 0.6 * bell(random));
  const number = (c: number, values: Float64Array): Column => ({
    kind: 'number',
    name: `column ${c}`,
    values,
  });
  const list = (make: () => number): Float64Array => Float64Array.from({ length: rows }, make);
  const others = Array.from({ length: columns - 2 }, (_, i): Column => {
    const c = i + 2;
    switch (i % 4) {
      case 0:
        return number(
          c,
          list(() => Math.exp(bell(random))),
        );
      case 1:
        return number(
          c,
          list(() => Math.floor(6 * random.float() ** 3)),
        );
      case 2:
        return number(
          c,
          list(() => (random.below(4) === 0 ? Number.NaN : bell(random))),
        );
      default: {
        const levels = Array.from({ length: 40 }, (_, level) => `level ${level}`);
        const codes = Int32Array.from({ length: rows }, () =>
          Math.min(39, Math.floor(random.float() ** -0.7) - 1),
        );
        return { kind: 'text', name: `column ${c}`, levels, codes };
      }
    }
  });
  return [number(0, first), number(1, second), ...others];
}

/** The same table with one thing changed. */
export function changedTable(table: readonly Column[], change: Change, random: Random): Column[] {
  return table.map((column, c) => {
    if (column.kind === 'number' && c === 0 && change.kind === 'shift')
      return { ...column, values: column.values.map((value) => value + change.by) };
    if (column.kind === 'number' && c === 0 && change.kind === 'missing')
      return {
        ...column,
        values: column.values.map((value) => (random.float() < change.share ? Number.NaN : value)),
      };
    if (column.kind === 'number' && c === 1 && change.kind === 'uncoupled')
      return { ...column, values: column.values.map(() => bell(random)) };
    if (column.kind === 'text' && c === 5 && change.kind === 'level') {
      const levels = [...column.levels, 'never seen'];
      const codes = column.codes.map((code) => (random.float() < change.share ? levels.length - 1 : code));
      return { ...column, levels, codes };
    }
    return column;
  });
}
