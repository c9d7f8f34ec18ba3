import fc from 'fast-check';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { orderByKey } from '../../../ml/dataset/order-by-key';
import { columnOf, type RawTable, takeRows } from '../../../ml/dataset/raw-table';
import { namedRows, rowNaming } from '../../../ml/dataset/row-naming';
import { nameRows, type RowNames } from '../../../ml/dataset/row-names';
import { type Cell, tableOf } from './table-of';

const texts = ({ high, low }: RowNames): string[] =>
  Array.from(high, (upper, row) => `${upper.toString(16)} ${(low[row] ?? 0).toString(16)}`);

const names = (columns: Record<string, Cell[]>): string[] => {
  const table = tableOf(columns);
  return texts(nameRows(table.columns, table.rows));
};

const distinct = ({ ends }: { ends: Uint8Array }): number => ends.reduce((sum, end) => sum + end, 0);

describe('nameRows', () => {
  it('equals what row_names.py makes of the same rows', () => {
    const file = join(__dirname, '../../fixtures/row-names/row_names.json');
    const golden = JSON.parse(readFileSync(file, 'utf8')) as {
      row: { age: number | null; city: string | null };
      name: string;
    }[];
    const made = names({ age: golden.map(({ row }) => row.age), city: golden.map(({ row }) => row.city) });
    expect(made).toEqual(golden.map(({ name }) => name));
  });

  it('does not mind the order of the columns, but their names', () => {
    const { age, city } = { age: [31, 45], city: ['Oslo', 'Bonn'] };
    expect(names({ city, age })).toEqual(names({ age, city }));
    expect(names({ town: city, age })).not.toEqual(names({ age, city }));
    expect(names({ a: [1], b: [2] })).not.toEqual(names({ a: [2], b: [1] }));
  });

  it('takes a number for what it is, however it was written or stored', () => {
    const [plain] = names({ a: [1.1] });
    expect(names({ a: ['1.10', 'x'] })[0]).toBe(plain);
    expect(names({ a: [Math.fround(1.1)] })[0]).toBe(plain);
    expect(names({ a: ['11e-1', 'x'] })[0]).toBe(plain);
    expect(names({ a: [-0] })).toEqual(names({ a: [0] }));
    expect(names({ a: [null, 1] })[0]).toBe(names({ a: [null, 'x'] })[0]);
  });

  it('keeps ids apart that float32, or float64, takes for one', () => {
    expect(new Set(names({ id: [100_000_001, 100_000_002] })).size).toBe(2);
    expect(new Set(names({ id: ['90071992547409921', '90071992547409922'] })).size).toBe(2);
    expect(new Set(names({ id: ['a1', 'a2', '', 'A1'] })).size).toBe(4);
  });

  it('keeps a million rows of few values apart', () => {
    const rows = 2 ** 20;
    const columns = Array.from({ length: 10 }, (_, k) => {
      const values = new Float64Array(rows);
      for (let row = 0; row < rows; row++) values[row] = (row >> (2 * k)) & 3;
      return { kind: 'number' as const, name: `c${k}`, values };
    });
    expect(distinct(orderByKey(nameRows(columns, rows)))).toBe(rows);
  });

  it('spreads evenly over the range, whatever the rows', () => {
    const rows = 100_000;
    const { high, low } = nameRows(
      [{ kind: 'number', name: 'n', values: Float64Array.from({ length: rows }, (_, row) => row) }],
      rows,
    );
    for (const half of [high, low]) {
      for (const shift of [0, 8, 16, 24]) {
        const counts = new Float64Array(256);
        for (const word of half) {
          const bin = (word >>> shift) & 255;
          counts[bin] = (counts[bin] ?? 0) + 1;
        }
        // χ² with 255 degrees of freedom: 1 in 10⁷ above 390.
        const expected = rows / 256;
        expect(counts.reduce((sum, count) => sum + (count - expected) ** 2 / expected, 0)).toBeLessThan(390);
      }
    }
  });

  it('tells rows apart exactly as their cells do', () => {
    const cell = fc.oneof(
      fc.constant(null),
      fc.integer({ min: -3, max: 3 }),
      fc.constantFrom('', 'a', '1', '2.0'),
    );
    fc.assert(
      fc.property(fc.array(fc.tuple(cell, cell), { minLength: 1, maxLength: 30 }), (rows) => {
        const shown = (one: Cell): string =>
          one === null ? 'missing' : one === '' || Number.isNaN(Number(one)) ? `t${one}` : `n${Number(one)}`;
        const made = names({ a: rows.map(([a]) => a), b: rows.map(([, b]) => b) });
        const byCells = rows.map(([a, b]) => `${shown(a)}|${shown(b)}`);
        return rows.every((_, i) =>
          rows.every((__, j) => (made[i] === made[j]) === (byCells[i] === byCells[j])),
        );
      }),
    );
  });
});

describe('orderByKey', () => {
  it('sorts 64-bit keys and marks where each ends', () => {
    const half = fc.constantFrom(0, 1, 0x7fff_ffff, 0x8000_0000, 0xffff_ffff, 12345);
    fc.assert(
      fc.property(fc.array(fc.tuple(half, half), { maxLength: 60 }), (keys) => {
        const { order, ends } = orderByKey({
          high: Uint32Array.from(keys, ([high]) => high),
          low: Uint32Array.from(keys, ([, low]) => low),
        });
        const big = keys.map(([high, low]) => (BigInt(high) << 32n) | BigInt(low));
        const expected = [...big.keys()].sort(
          (a, b) =>
            Number((big[a] ?? 0n) > (big[b] ?? 0n)) - Number((big[a] ?? 0n) < (big[b] ?? 0n)) || a - b,
        );
        expect([...order]).toEqual(expected);
        expect([...ends]).toEqual(
          expected.map((row, i) => (big[row] === big[expected[i + 1] ?? -1] ? 0 : 1)),
        );
      }),
    );
  });
});

describe('rowNaming', () => {
  const features = ['age', 'income'];
  const table: RawTable = tableOf({
    age: [1, 2],
    income: [3, 4],
    y: ['p', 'q'],
    id: ['a', 'b'],
    shop: ['s', 's'],
  });

  it('goes by what is learned from, by row_id, or by the group of a grouped split', () => {
    const plain = { split: 'stratified' as const };
    expect(rowNaming(plain, features, 'y')).toEqual({ by: 'content', columns: ['age', 'income', 'y'] });
    expect(rowNaming({ ...plain, row_id: ['id', 'id'] }, features, 'y')).toEqual({
      by: 'row_id',
      columns: ['id'],
    });
    expect(rowNaming({ split: 'grouped', group_by: 'shop', row_id: ['id'] }, features, 'y')).toEqual({
      by: 'group',
      columns: ['shop'],
    });
  });

  it('names by the columns chosen only', () => {
    const made = texts(namedRows(table, { by: 'row_id', columns: ['id'] }));
    expect(made).toEqual(texts(nameRows([columnOf(table, 'id')], 2)));
    expect(
      texts(namedRows(takeRows(table, Uint32Array.of(1, 0)), { by: 'row_id', columns: ['id'] })),
    ).toEqual([...made].reverse());
  });

  it('says that a column was renamed', () => {
    expect(() => namedRows(table, { by: 'row_id', columns: ['old'] })).toThrow(
      'preprocess.row_id: the table has no column "old" after preprocess.rename; write its new name',
    );
  });
});
