import fc from 'fast-check';
import { PreprocessParams } from '../../../contracts/params';
import { type RowNaming } from '../../../contracts/seen-rows';
import { chooseRows } from '../../../ml/dataset/choose-rows';
import { columnOf, type RawTable, takeRows } from '../../../ml/dataset/raw-table';
import { namedRows, rowNaming } from '../../../ml/dataset/row-naming';
import { takeNames } from '../../../ml/dataset/row-names';
import { decodeSeenRows, encodeSeenRows, type SeenRows } from '../../../ml/dataset/seen-rows';
import { unseenRows } from '../../../ml/dataset/unseen-rows';
import { generated } from './generated-table';
import { tableOf } from './table-of';

const numbers = (from: number, to: number): Uint32Array =>
  Uint32Array.from({ length: to - from }, (_, i) => from + i);

interface Trained {
  /** Row numbers of the whole table. */
  train: number[];
  test: number[];
  heldOut: RawTable;
  seen: SeenRows;
}

/** A run on some rows of a table, as preprocess splits them. */
function run(whole: RawTable, rows: Uint32Array, features: readonly string[], changes: object): Trained {
  const params = PreprocessParams.parse(changes);
  const table = takeRows(whole, rows);
  const naming: RowNaming = rowNaming(params, features, 'y');
  const names = namedRows(table, naming);
  const target = columnOf(table, 'y');
  const labels = target.kind === 'text' ? Uint32Array.from(target.codes) : null;
  const { train, test } = chooseRows(table, { names, labels, classes: ['k0', 'k1'] }, params);
  return {
    train: Array.from(train, (row) => rows[row] ?? 0),
    test: Array.from(test, (row) => rows[row] ?? 0),
    heldOut: takeRows(table, test),
    seen: decodeSeenRows(encodeSeenRows(naming, takeNames(names, train))),
  };
}

const preprocess = fc.oneof(
  fc.record({ seed: fc.constantFrom(1, 2), test_size: fc.constantFrom(0.2, 0.4) }),
  fc.constantFrom(
    { split: 'random' },
    { split: 'k-fold', folds: 4, fold: 3 },
    { split: 'grouped', group_by: 'group' },
    { split: 'time', time_by: 'when' },
    { row_id: ['group'] },
  ),
);

/** A table with the time as a column: the row's number. */
function withTime(table: RawTable): RawTable {
  const when = {
    kind: 'text' as const,
    name: 'when',
    codes: Int32Array.from({ length: table.rows }, (_, row) => row),
    levels: Array.from({ length: table.rows }, (_, row) => String(row)),
  };
  return { ...table, columns: [...table.columns, when] };
}

describe('unseenRows', () => {
  it('never compares a row that either was trained on, or an equal one, whatever changed in between', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 1e6 }),
        fc.integer({ min: 300, max: 900 }),
        fc.integer({ min: 0, max: 400 }),
        preprocess,
        preprocess,
        fc.constantFrom(['a', 'b'], ['a']),
        (seed, rows, appended, before, now, features) => {
          const whole = withTime(generated(rows + appended, 2, seed));
          const champion = run(whole, numbers(0, rows), features, before);
          const candidate = run(whole, numbers(0, rows + appended), ['a', 'b'], now);
          const { columns } = candidate.heldOut;
          const unseen = unseenRows(columns, candidate.test.length, candidate.seen, champion.seen);
          expect(unseen.unknown).toBeNull();
          const look = (row: number): string =>
            ['a', 'b', 'y']
              .map((name) => columnOf(whole, name))
              .map((one) => (one.kind === 'number' ? one.values[row] : one.codes[row]))
              .join(' ');
          // Where rows are named by a group, that is what may not come twice; the row itself never does.
          const byContent = [before, now].every((changes) => !('group_by' in changes || 'row_id' in changes));
          const trained = new Set([...champion.train, ...candidate.train]);
          const looks = new Set(Array.from(trained, look));
          for (const place of unseen.rows) {
            const row = candidate.test[place] ?? 0;
            expect(trained.has(row)).toBe(false);
            if (byContent) expect(looks.has(look(row))).toBe(false);
          }
          expect(unseen.rows.length + (unseen.seenByChampion ?? 0) + unseen.seenByCandidate).toBe(
            candidate.test.length,
          );
        },
      ),
      { numRuns: 60 },
    );
  });

  const table = tableOf({ age: [1, 2, 3], y: ['p', 'q', 'p'] });
  const seenOf = (rows: RawTable, columns: string[]): SeenRows => {
    const naming: RowNaming = { by: 'content', columns };
    return decodeSeenRows(encodeSeenRows(naming, namedRows(rows, naming)));
  };

  it('leaves no row to compare of a champion that was trained on all of them', () => {
    expect(unseenRows(table.columns, 3, null, seenOf(table, ['age', 'y']))).toMatchObject({
      rows: new Uint32Array(),
      seenByChampion: 3,
      unknown: null,
    });
  });

  it('names rows by the champion’s columns, so a new one changes nothing', () => {
    const later = tableOf({ age: [1, 2, 9], city: ['Oslo', 'Bonn', 'Rome'], y: ['p', 'q', 'p'] });
    const unseen = unseenRows(later.columns, 3, null, seenOf(table, ['age', 'y']));
    expect([...unseen.rows]).toEqual([2]);
  });

  it('compares on all rows, and says why, when that is not known', () => {
    const gone = unseenRows(table.columns, 3, null, seenOf(tableOf({ zip: [1], y: ['p'] }), ['zip', 'y']));
    expect(gone).toMatchObject({
      seenByChampion: null,
      unknown: 'its rows are told apart by a column that this run does not read: zip',
    });
    expect(gone.rows).toHaveLength(3);
    expect(unseenRows(table.columns, 3, null, 'it does not tell')).toMatchObject({
      unknown: 'it does not tell',
    });
  });
});
