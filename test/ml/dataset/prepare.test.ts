import { ExpectParams, PreprocessParams } from '../../../contracts/params';
import { chooseRows } from '../../../ml/dataset/choose-rows';
import { distinctRows } from '../../../ml/dataset/deduplicate';
import { requireExpectations } from '../../../ml/dataset/expectations';
import { fitInputs, prepareMatrix, preparedNames } from '../../../ml/dataset/prepare';
import { profileTable } from '../../../ml/dataset/profile';
import { columnOf, type RawTable, takeRows } from '../../../ml/dataset/raw-table';
import { nameRows } from '../../../ml/dataset/row-names';
import { tableOf } from './table-of';

const params = (changes: object): PreprocessParams => PreprocessParams.parse(changes);

const rowsOf = (count: number): Uint32Array => Uint32Array.from({ length: count }, (_, row) => row);

function preparedRows(
  table: RawTable,
  trainRows: Uint32Array,
  features: string[],
  changes: object,
): number[][] {
  const inputs = fitInputs(table, features, trainRows, params(changes));
  const matrix = prepareMatrix(table.columns, table.rows, inputs);
  return Array.from({ length: matrix.rows }, (_, row) =>
    Array.from({ length: matrix.features }, (__, f) => matrix.values[f * matrix.rows + row] ?? Number.NaN),
  );
}

describe('preparing rows', () => {
  it('clips before it learns what stands in for a missing number', () => {
    const table = tableOf({ a: [1, 2, 900, null] });
    expect(preparedRows(table, rowsOf(4), ['a'], { clip: { a: { max: 6 } }, impute: 'mean' })).toEqual([
      [1],
      [2],
      [6],
      [3],
    ]);
  });

  it('leaves missing numbers missing when told to', () => {
    expect(preparedRows(tableOf({ a: [1, null] }), rowsOf(2), ['a'], { impute: 'none' })).toEqual([
      [1],
      [Number.NaN],
    ]);
  });

  it('encodes texts by the levels of the training rows, others as zeros or -1', () => {
    const table = tableOf({
      city: ['Oslo', 'Bonn', null, 'Rome'],
      size: ['m', 's', 'm', 'xl'],
      n: [1, 2, 3, 4],
    });
    const changes = { encode: { city: 'one-hot', size: 'ordinal' } };
    const trainRows = rowsOf(3);
    const features = ['city', 'size', 'n'];
    expect(preparedNames(fitInputs(table, features, trainRows, params(changes)))).toEqual([
      'city=Bonn',
      'city=Oslo',
      'size',
      'n',
    ]);
    expect(preparedRows(table, trainRows, features, changes)).toEqual([
      [0, 1, 0, 1],
      [1, 0, 1, 2],
      [0, 0, 0, 3],
      [0, 0, -1, 4],
    ]);
  });
});

describe('equal rows', () => {
  const table = tableOf({ a: [1, 1, 1, null, null], b: ['x', 'x', 'y', 'x', 'x'] });

  it('are left out but for the first, missing values being equal', () => {
    expect([...distinctRows(table, ['a', 'b'])]).toEqual([0, 2, 3]);
    expect([...distinctRows(table, ['b'])]).toEqual([0, 2]);
  });

  it('take their numbers along', () => {
    expect([...(takeRows(table, Uint32Array.of(2, 3)).rowNumbers ?? [])]).toEqual([3, 4]);
  });
});

describe('splits', () => {
  const table = tableOf({
    a: Array.from({ length: 20 }, (_, i) => i),
    group: Array.from({ length: 20 }, (_, i) => `g${i % 5}`),
    day: Array.from({ length: 20 }, (_, i) => `2024-01-${String(20 - i).padStart(2, '0')}`),
    y: Array.from({ length: 20 }, (_, i) => (i % 2 === 0 ? 'p' : 'q')),
  });
  const names = nameRows(table.columns, table.rows);
  const groups = nameRows([columnOf(table, 'group')], table.rows);
  const basis = { names, labels: Uint32Array.from({ length: 20 }, (_, i) => i % 2), classes: ['p', 'q'] };
  const split = (changes: object): ReturnType<typeof chooseRows> =>
    chooseRows(table, { ...basis, ...('group_by' in changes ? { names: groups } : {}) }, params(changes));

  it('by group keep every group on one side', () => {
    const { train, test } = split({ split: 'grouped', group_by: 'group', test_size: 0.3 });
    const among = (rows: Uint32Array): Set<number> => new Set(Array.from(rows, (row) => row % 5));
    expect([...among(train)].filter((group) => among(test).has(group))).toEqual([]);
    expect(train.length + test.length).toBe(20);
    expect(test).toHaveLength(8);
  });

  it('by time hold out the latest', () => {
    expect([...split({ split: 'time', time_by: 'day', test_size: 0.2 }).test]).toEqual([0, 1, 2, 3]);
  });

  it('by time never part rows of the same moment', () => {
    const same = tableOf({ day: ['1', '2', '2', '2'], y: ['p', 'q', 'p', 'q'] });
    const of = (size: number): number[] => [
      ...chooseRows(
        same,
        { names: nameRows(same.columns, same.rows), labels: null, classes: [] },
        params({ split: 'time', time_by: 'day', test_size: size }),
      ).test,
    ];
    expect(of(0.75)).toEqual([1, 2, 3]);
    expect(() => of(0.5)).toThrow('have the same time as the one before');
  });

  it('into folds cover every row once, each with its share of the classes', () => {
    const folds = [0, 1, 2, 3].map((fold) => split({ split: 'k-fold', folds: 4, fold }).test);
    expect(folds.flatMap((rows) => [...rows]).sort((a, b) => a - b)).toEqual([...rowsOf(20)]);
    for (const rows of folds) expect(rows.filter((row) => row % 2 === 0).length).toBeGreaterThanOrEqual(2);
  });

  it('at random depend on the seed only', () => {
    expect(split({ split: 'random' })).toEqual(split({ split: 'random' }));
    expect(split({ split: 'random' })).not.toEqual(split({ split: 'random', seed: 1 }));
    expect(split({ split: 'random' }).test).toHaveLength(4);
  });

  it.each([
    [{ split: 'grouped' }, 'preprocess.group_by is missing'],
    [{ split: 'time' }, 'preprocess.time_by is missing'],
    [{ split: 'time', time_by: 'group' }, 'row 1, column "group": "g0" is no time'],
    [{ split: 'k-fold', folds: 3, fold: 3 }, 'preprocess.fold must be below preprocess.folds (3), got 3'],
    [{ split: 'k-fold', folds: 50 }, 'holds 20 rows, expected at least one for each of 50 folds'],
  ])('refuse %j', (changes, message) => {
    expect(() => split(changes)).toThrow(message);
  });

  it('refuse to leave a class without a training row', () => {
    const lonely = {
      names,
      labels: Uint32Array.from({ length: 20 }, (_, i) => (i < 4 ? 1 : 0)),
      classes: ['p', 'q'],
    };
    expect(() =>
      chooseRows(table, lonely, params({ split: 'time', time_by: 'day', test_size: 0.2 })),
    ).toThrow('this split leaves class "q" without a training row');
  });
});

describe('expectations', () => {
  const table = tableOf({
    age: [30, -1, 200, null, 45, 150],
    city: ['Oslo', 'Oslo', 'Mars', null, 'Bonn', 'Bonn'],
    id: ['a', 'b', 'a', 'c', 'b', 'd'],
  });
  const check = (expect: object) => (): void => requireExpectations(table, ExpectParams.parse(expect));

  it('that hold say nothing', () => {
    expect(check({ age: { min: -1, max: 200, missing_max: 0.2 }, rows_min: 6, rows_max: 6 })).not.toThrow();
  });

  it.each([
    [{ age: { max: 120 } }, 'd.csv: expect.age.max: 2 of 6 rows are above 120 (at rows 3, 6)'],
    [{ age: { min: 0 } }, 'd.csv: expect.age.min: 1 of 6 rows are below 0 (at row 2)'],
    [
      { age: { missing_max: 0.1 } },
      'd.csv: expect.age.missing_max: 1 of 6 rows have no value, expected at most 10 % (at row 4)',
    ],
    [
      { city: { one_of: ['Oslo', 'Bonn'] } },
      'd.csv: expect.city.one_of: 1 of 6 rows are none of Oslo, Bonn (at row 3)',
    ],
    [{ unique: ['id'] }, 'd.csv: expect.unique: 2 of 6 rows repeat a value of "id" (at rows 3, 5)'],
    [
      { rows_min: 7, rows_max: 5 },
      'd.csv: expect.rows_min: 6 rows, expected at least 7; expect.rows_max: 6 rows, expected at most 5',
    ],
    [{ city: { min: 1 } }, 'expect.city: min and max are for numbers'],
  ])('%j', (expectation, message) => {
    expect(check(expectation)).toThrow(message);
  });

  it('name the first five rows, by their numbers in the file', () => {
    const many = takeRows(tableOf({ a: Array.from({ length: 50 }, (_, i) => i) }), rowsOf(50).subarray(10));
    expect(() => requireExpectations(many, ExpectParams.parse({ a: { max: 20 } }))).toThrow(
      'expect.a.max: 29 of 40 rows are above 20 (first at rows 22, 23, 24, 25, 26)',
    );
  });
});

describe('the profile', () => {
  it('describes numbers and texts', () => {
    const table = tableOf({ a: [1, 2, 3, 4, null], y: ['x', 'z', 'x', null, 'x'], other: [1, 2, 3, 4, 5] });
    const { columns, ...rest } = profileTable(table, ['a'], 'y', 7);
    expect(rest).toEqual({ rows: 5, rowsRead: 7, target: 'y' });
    expect(columns).toHaveLength(2);
    // numpy: mean 2.5, std(ddof=1) 1.2909944487358056, quantile(0.25) 1.75
    expect(columns[0]).toMatchObject({ kind: 'number', missing: 1, min: 1, max: 4, mean: 2.5 });
    expect(columns[0]).toHaveProperty('deviation', expect.closeTo(1.2909944487358056, 12));
    expect(columns[0]).toHaveProperty('quantiles.4', 1.75);
    expect(columns[1]).toEqual({
      kind: 'text',
      name: 'y',
      missing: 1,
      distinct: 2,
      top: [
        { value: 'x', rows: 3 },
        { value: 'z', rows: 1 },
      ],
    });
  });

  it('of a column without values or of one value has no division by zero', () => {
    const { columns } = profileTable(
      tableOf({ a: [null, null], b: [7, 7], y: ['x', 'z'] }),
      ['a', 'b'],
      'y',
      2,
    );
    expect(columns[0]).toMatchObject({ missing: 2, min: null, quantiles: [] });
    expect(columns[1]).toMatchObject({ min: 7, max: 7, deviation: 0 });
  });
});
