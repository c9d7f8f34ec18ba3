import { TableProfile } from '../../contracts/stage';
import { useStages } from './stage-bench';

const stages = useStages();

const ROWS = 1000;
const noise = (row: number): number => ((row * 7919 + 13) % 1009) / 7;

/** What preprocess warns of, `kind: message`. */
async function warned(
  columns: Record<string, (row: number) => unknown>,
  more: object = {},
  rows = ROWS,
): Promise<string[]> {
  const lines = Array.from({ length: rows }, (_, row) =>
    Object.values(columns)
      .map((of) => of(row))
      .join(','),
  );
  const params = { data: { path: 'd.csv', target: 'y' }, preprocess: {}, task: 'classification', ...more };
  const made = stages.folder(params, { data: `${Object.keys(columns).join(',')}\n${lines.join('\n')}\n` });
  await stages.run('preprocess', made);
  const { warnings = [] } = TableProfile.parse(made.json('profile.json'));
  return warnings.map(({ kind, message }) => `${kind}: ${message}`);
}

const y = (row: number): string => ((row * 31) % 7 < 3 ? 'x' : 'z');

test('a plain table is warned of nothing', async () => {
  expect(await warned({ a: noise, b: (row) => (row * 17) % 100, y })).toEqual([]);
});

test('one column that alone tells the target, and expect.leakage makes it an error', async () => {
  const columns = {
    a: noise,
    paid: (row: number) => (y(row) === 'x' ? 5 + noise(row) / 1000 : noise(row) / 1000),
    y,
  };
  const message =
    'column "paid" alone tells the target (AUC 1.000); was it made from it, or after it was known?';
  expect(await warned(columns)).toEqual([`leakage: ${message}`]);
  await expect(warned(columns, { expect: { leakage: 'refuse' } })).rejects.toMatchObject({
    code: 'DATA_INVALID',
    message: `d.csv: expect.leakage: ${message}`,
  });
  await expect(warned(columns, { expect: { leakage: 'warn' } })).resolves.toHaveLength(1);
});

test('a number that is a function of another', async () => {
  const columns = {
    a: noise,
    cents: (row: number) => noise(row + 3) * 100 + 7,
    y: (row: number) => noise(row + 3),
  };
  expect(await warned(columns, { task: 'regression' })).toEqual([
    'leakage: column "cents" alone tells the target (rank correlation 1.000); was it made from it, or after it was known?',
  ]);
});

test('a running number, a constant, a rare class', async () => {
  const columns = {
    id: (row: number) => 5000 + ((row * 7) % ROWS),
    a: noise,
    unit: () => 3,
    y: (row: number) => (row % 125 === 0 ? 'rare' : y(row)),
  };
  expect(await warned(columns)).toEqual([
    'id: column "id" is a different integer in every row, as an id is; drop it (preprocess.drop), as it means nothing of rows to come',
    'constant: column "unit" has one value in all rows, and tells nothing; drop it (preprocess.drop)',
    'rare-class: class "rare" has 8 of 1000 rows (0.80 %): look at its recall, not at accuracy',
  ]);
});

test('few test rows', async () => {
  expect(await warned({ a: noise, y }, {}, 100)).toEqual([
    'few-test-rows: only 20 rows are held out: each one moves accuracy by 5.0 points',
  ]);
});

test('rows on both sides of the split', async () => {
  // By time, equal rows may fall on both sides.
  const columns = {
    day: (row: number) => row,
    a: (row: number) => noise(row % 200),
    y: (row: number) => y(row % 200),
  };
  expect(await warned(columns, { preprocess: { split: 'time', time_by: 'day' } })).toEqual([
    'leakage: 200 of 200 test rows are also among the training rows, so the figures are too good; set preprocess.deduplicate: true',
  ]);
});
