import fc from 'fast-check';
import { byCodePoint } from '../../../ml/dataset/code-point-order';
import { TextBuilder } from '../../../ml/dataset/column-builder';
import { fitImputer } from '../../../ml/dataset/impute';
import { numberClasses } from '../../../ml/dataset/class-labels';
import { type TextColumn } from '../../../ml/dataset/raw-table';
import { drawOrder, type KeyOrder } from '../../../ml/dataset/order-by-key';
import { nameRows } from '../../../ml/dataset/row-names';
import { shareOut, stratifiedSplit } from '../../../ml/dataset/split';

/** Names of rows that differ, unless `same` says which are equal. */
const order = (rows: number, seed: number, same: (row: number) => number = (row) => row): KeyOrder => {
  const values = Float64Array.from({ length: rows }, (_, row) => same(row));
  return drawOrder(nameRows([{ kind: 'number', name: 'a', values }], rows), seed);
};

const split = (
  labels: number[],
  testSize: number,
  seed = 42,
  same?: (row: number) => number,
): ReturnType<typeof stratifiedSplit> =>
  stratifiedSplit(
    order(labels.length, seed, same),
    Uint32Array.from(labels),
    ['a', 'b', 'c', 'd'].slice(0, Math.max(...labels) + 1),
    testSize,
    'd.csv',
  );

describe('stratifiedSplit', () => {
  it('gives iris 10 test rows of each class, as scikit-learn does', () => {
    const labels = Array.from({ length: 150 }, (_, i) => Math.floor(i / 50));
    const { train, test } = split(labels, 0.2);
    expect(train).toHaveLength(120);
    expect([0, 1, 2].map((k) => test.filter((row) => labels[row] === k).length)).toEqual([10, 10, 10]);
  });

  it('puts every row on one side, in order, and every class on both', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 2, max: 40 }), { minLength: 2, maxLength: 4 }),
        fc.double({ min: 0.01, max: 0.99, noNaN: true }),
        fc.nat(),
        (sizes, testSize, seed) => {
          const labels = sizes.flatMap((size, k) => new Array<number>(size).fill(k));
          const { train, test } = split(labels, testSize, seed);
          const ascending = (rows: Uint32Array): boolean =>
            rows.every((row, i) => i === 0 || row > (rows[i - 1] ?? 0));
          const both = [train, test].every(
            (rows) => new Set(Array.from(rows, (row) => labels[row])).size === sizes.length,
          );
          return (
            ascending(train) && ascending(test) && both && new Set([...train, ...test]).size === labels.length
          );
        },
      ),
    );
  });

  it('depends on the seed only', () => {
    const labels = Array.from({ length: 60 }, (_, i) => i % 3);
    expect(split(labels, 0.3)).toEqual(split(labels, 0.3));
    expect(split(labels, 0.3)).not.toEqual(split(labels, 0.3, 43));
  });

  it('does not redraw a class when rows of another are added', () => {
    const few = split([0, 0, 0, 0, 1, 1, 1, 1], 0.25);
    const more = split([0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1], 0.25);
    expect([...more.test].filter((row) => row < 4)).toEqual([...few.test].filter((row) => row < 4));
  });

  it('refuses a class with one row, or with equal rows only', () => {
    expect(() => split([0, 0, 1], 0.5)).toThrow('d.csv: class "b" has 1 row, expected at least 2');
    expect(() => split([0, 0, 1, 1, 1], 0.5, 42, (row) => Math.min(row, 2))).toThrow(
      'd.csv: class "b" has 3 rows, which are all equal, expected at least 2 different ones (one to train on, one to test on)',
    );
  });

  it('keeps equal rows together and still gives each class its share', () => {
    // 40 rows come twice, 20 once.
    const labels = new Array<number>(100).fill(0);
    const { test } = split(labels, 0.25, 7, (row) => (row < 80 ? row % 40 : row));
    expect(test).toHaveLength(25);
    const held = new Set(test);
    for (const row of test) if (row < 80) expect(held.has((row + 40) % 80)).toBe(true);
  });

  it('takes the smallest of a class whose equal rows are all more than its share', () => {
    const { test } = split([0, 0, 0, 0, 0, 1, 1, 1, 1, 1], 0.1, 1, (row) =>
      row % 5 < 3 ? row - (row % 5) : row - (row % 5) + 3,
    );
    expect([...test]).toEqual([3, 4, 8, 9]);
  });

  it('shares out by largest remainder', () => {
    expect(shareOut([50, 50, 50], 30)).toEqual([10, 10, 10]);
    expect(shareOut([53, 24, 23], 10)).toEqual([5, 3, 2]);
    expect(shareOut([98, 2], 10)).toEqual([9, 1]);
  });
});

const textColumn = (texts: readonly string[]): TextColumn => {
  const builder = new TextBuilder('y');
  for (const text of texts) builder.push(text);
  return builder.finish();
};

describe('numberClasses', () => {
  it('sorts by code point, as Python does', () => {
    const { classes, numbers } = numberClasses(textColumn(['b', '\uffee', 'a', '🙂', 'b']), 'd.csv');
    expect(classes).toEqual(['a', 'b', '\uffee', '🙂']);
    expect([...numbers]).toEqual([1, 2, 0, 3, 1]);
    expect(['10', '9', '1', ''].sort(byCodePoint)).toEqual(['', '1', '10', '9']);
  });

  it('refuses one class, and thousands', () => {
    expect(() => numberClasses(textColumn(['x', 'x']), 'd.csv')).toThrow(
      'd.csv: column "y" holds one class only ("x" in all 2 rows), expected at least 2',
    );
    expect(() =>
      numberClasses(textColumn(Array.from({ length: 5000 }, (_, i) => String(i))), 'd.csv'),
    ).toThrow('holds 5000 different values, expected at most 1000 classes');
  });
});

describe('fitImputer', () => {
  const columns = [Float64Array.of(1, 3, Number.NaN, 1000, 8), Float64Array.of(1, 2, 3, 4, 5)];
  const train = Uint32Array.of(0, 1, 2, 4);

  it('learns from the training rows only, and only where a value is missing', () => {
    expect(fitImputer(columns, ['a', 'b'], train, 'median', 'd.csv')).toEqual([3, Number.NaN]);
    expect(fitImputer(columns, ['a', 'b'], train, 'mean', 'd.csv')).toEqual([4, Number.NaN]);
  });

  it('knows the most frequent value, the least of equals, and a constant', () => {
    const column = [Float64Array.of(7, 2, 2, 7, 9, Number.NaN)];
    const rows = Uint32Array.of(0, 1, 2, 3, 4);
    expect(fitImputer(column, ['a'], rows, 'mode', 'd.csv')).toEqual([2]);
    expect(fitImputer(column, ['a'], rows, 'constant', 'd.csv', -1)).toEqual([-1]);
    expect(fitImputer(column, ['a'], rows, 'none', 'd.csv')).toEqual([Number.NaN]);
  });

  it('refuses a column without any value in the training rows', () => {
    expect(() =>
      fitImputer([Float64Array.of(Number.NaN, 1)], ['a'], Uint32Array.of(0), 'mean', 'd.csv'),
    ).toThrow('d.csv: column "a" has no value in any of the 1 training rows');
  });
});
