import fc from 'fast-check';
import { PreprocessParams } from '../../../contracts/params';
import { chooseRows } from '../../../ml/dataset/choose-rows';
import { columnOf, type RawTable, takeRows } from '../../../ml/dataset/raw-table';
import { nameRows } from '../../../ml/dataset/row-names';
import { shareOut, type Split } from '../../../ml/dataset/split';
import { Random } from '../../../ml/random/random';
import { generated } from './generated-table';

const RULES = [
  { split: 'stratified' },
  { split: 'random' },
  { split: 'k-fold', folds: 5, fold: 2 },
  { split: 'grouped', group_by: 'group' },
] as const;

type Rule = (typeof RULES)[number];

function split(table: RawTable, classes: number, rule: Rule, changes: object = {}): Split {
  const target = columnOf(table, 'y');
  const naming = rule.split === 'grouped' ? ['group'] : ['a', 'b', 'y'];
  const names = nameRows(
    naming.map((name) => columnOf(table, name)),
    table.rows,
  );
  const labels = target.kind === 'text' ? Uint32Array.from(target.codes) : null;
  const basis = { names, labels, classes: Array.from({ length: classes }, (_, k) => `k${k}`) };
  return chooseRows(table, basis, PreprocessParams.parse({ ...rule, ...changes }));
}

/** What a row looks like, as a text. */
function looks(table: RawTable, columns: readonly string[]): (row: number) => string {
  const chosen = columns.map((name) => columnOf(table, name));
  return (row) => chosen.map((one) => (one.kind === 'number' ? one.values[row] : one.codes[row])).join(' ');
}

const rows = (from: number, to: number): Uint32Array =>
  Uint32Array.from({ length: to - from }, (_, i) => from + i);

const tables = fc.record({
  rows: fc.integer({ min: 400, max: 3000 }),
  classes: fc.integer({ min: 2, max: 4 }),
  seed: fc.integer({ min: 0, max: 0xffff_ffff }),
  rule: fc.constantFrom(...RULES),
});

const FEW = { numRuns: 40 };

describe('a split by names', () => {
  it('never has equal rows, or a group, on both sides', () => {
    fc.assert(
      fc.property(tables, ({ rows: n, classes, seed, rule }) => {
        const table = generated(n, classes, seed);
        const { train, test } = split(table, classes, rule);
        const look = looks(table, rule.split === 'grouped' ? ['group'] : ['a', 'b', 'y']);
        const trained = new Set(Array.from(train, look));
        expect(train.length + test.length).toBe(n);
        expect(Array.from(test, look).filter((row) => trained.has(row))).toEqual([]);
      }),
      FEW,
    );
  });

  it('does not mind the order of the rows', () => {
    fc.assert(
      fc.property(tables, ({ rows: n, classes, seed, rule }) => {
        const table = generated(n, classes, seed);
        const order = new Random(seed).shuffle(rows(0, n));
        const there = new Set(split(table, classes, rule).test);
        const moved = new Set(
          Array.from(split(takeRows(table, order), classes, rule).test, (place) => order[place]),
        );
        expect(moved).toEqual(there);
      }),
      FEW,
    );
  });

  it('moves a few √n of the rows that stay when others come or go', () => {
    fc.assert(
      fc.property(
        tables,
        fc.double({ min: 0.5, max: 0.99, noNaN: true }),
        ({ rows: n, classes, seed, rule }, share) => {
          const more = generated(n, classes, seed);
          const kept = Math.floor(n * share);
          // What is removed is drawn from the whole, so this is appending read backwards.
          const order = new Random(seed).shuffle(rows(0, n)).subarray(0, kept);
          const less = split(takeRows(more, order), classes, rule);
          const heldInMore = new Set(split(more, classes, rule).test);
          const moved = Array.from(less.train, (place) => order[place] ?? 0).filter((row) =>
            heldInMore.has(row),
          );
          expect(moved.length).toBeLessThanOrEqual(4 * Math.sqrt(n));
        },
      ),
      FEW,
    );
  });

  it('from 10,000 rows on leaves 99 % of the training rows in training when 1 % to 100 % are appended', () => {
    fc.assert(
      fc.property(
        fc.record({
          ...{ seed: tables.map(({ seed }) => seed) },
          rows: fc.integer({ min: 10_000, max: 20_000 }),
        }),
        fc.double({ min: 0.01, max: 1, noNaN: true }),
        fc.constantFrom(RULES[0], RULES[1]),
        ({ rows: n, seed }, share, rule) => {
          const table = generated(Math.round(n * (1 + share)), 2, seed);
          const before = split(takeRows(table, rows(0, n)), 2, rule);
          const heldNow = new Set(split(table, 2, rule).test);
          const stay = before.train.filter((row) => !heldNow.has(row)).length;
          expect(stay / before.train.length).toBeGreaterThanOrEqual(0.99);
        },
      ),
      // The border moves by chance: 1 % is nearly three standard deviations at 10,000 rows doubled, so the tables are fixed.
      { numRuns: 25, seed: 20_261 },
    );
  });

  it('gives each class its share as long as rows differ', () => {
    fc.assert(
      fc.property(
        tables,
        fc.double({ min: 0.05, max: 0.6, noNaN: true }),
        ({ rows: n, classes, seed }, test_size) => {
          const table = generated(n, classes, seed, 0);
          const target = columnOf(table, 'y');
          const codes = target.kind === 'text' ? target.codes : new Int32Array();
          const { test } = split(table, classes, RULES[0], { test_size });
          const count = (among: readonly number[] | Int32Array): number[] =>
            Array.from({ length: classes }, (_, k) => among.filter((code) => code === k).length);
          const shares = shareOut(count(codes), Math.ceil(n * test_size - 1e-9));
          expect(count(Array.from(test, (row) => codes[row] ?? -1))).toEqual(shares);
        },
      ),
      FEW,
    );
  });

  it('holds out more of the same rows when more are to be held out', () => {
    const table = generated(2000, 2, 5);
    const few = split(table, 2, RULES[1], { test_size: 0.2 }).test;
    const many = new Set(split(table, 2, RULES[1], { test_size: 0.3 }).test);
    expect(few.filter((row) => !many.has(row)).length).toBeLessThanOrEqual(2);
  });

  it('draws anew with another seed', () => {
    const table = generated(2000, 2, 5);
    const one = new Set(split(table, 2, RULES[0]).test);
    const both = split(table, 2, RULES[0], { seed: 43 }).test.filter((row) => one.has(row)).length;
    expect(both / one.size).toBeGreaterThan(0.14);
    expect(both / one.size).toBeLessThan(0.26);
  });
});
