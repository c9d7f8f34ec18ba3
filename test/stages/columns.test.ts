import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { TableProfile, TableSchema } from '../../contracts/stage';
import { useStages } from './stage-bench';
import { type StageFolder } from './stage-folder';

const stages = useStages();

async function preprocessed(data: string, preprocess: object = {}, more: object = {}): Promise<StageFolder> {
  const params = { data: { path: 'd.csv', target: 'y' }, preprocess, task: 'classification', ...more };
  const made = stages.folder(params, { data });
  await stages.run('preprocess', made);
  return made;
}

const ROWS = 400;
const table = (columns: Record<string, (row: number) => unknown>): string =>
  [
    Object.keys(columns).join(','),
    ...Array.from({ length: ROWS }, (_, row) =>
      Object.values(columns)
        .map((of) => String(of(row)))
        .join(','),
    ),
    '',
  ].join('\n');

const MIXED = {
  size: (row: number) => row / 8,
  city: (row: number) => ['Oslo', 'Bonn', 'Rome'][row % 3],
  joined: (row: number) => `2024-0${1 + (row % 9)}-1${row % 10}`,
  note: (row: number) => `note number ${row}`,
  shop: (row: number) => `shop ${row % 60}`,
  member: (row: number) => (row % 5 === 0 ? 'True' : 'False'),
  y: (row: number) => (row % 2 === 0 ? 'good' : 'bad'),
};

const MESSAGE =
  'd.csv: 4 columns are no numbers: "city" is text of 3 levels (such as "Oslo"), "joined" holds dates (such as "2024-01-10"), "note" is text, 400 different ones in 400 rows (such as "note number 0"), "shop" is text of 60 levels (such as "shop 0"); to take them, add preprocess: { encode: { city: one-hot, shop: ordinal }, drop: [joined, note] } to params.yaml, or preprocess: { auto: true }';

test('columns that are no numbers are one error, with the lines that would take them', async () => {
  await expect(preprocessed(table(MIXED))).rejects.toMatchObject({ code: 'DATA_INVALID', message: MESSAGE });
  await expect(preprocessed(table(MIXED), { filter: 'true' })).rejects.toMatchObject({ message: MESSAGE });
  const made = await preprocessed(table(MIXED), {
    encode: { city: 'one-hot', shop: 'ordinal' },
    drop: ['joined', 'note'],
  });
  expect(TableSchema.parse(made.json('schema.json')).inputs?.map(({ name }) => name)).toEqual([
    'size',
    'city',
    'shop',
    'member',
  ]);
});

test('what a query made of numbers are numbers, however the file writes its own', async () => {
  const csv = table({
    size: (row) => row / 8,
    city: MIXED.city,
    y: MIXED.y,
  })
    .replaceAll(',', ';')
    .replaceAll('.', ',');
  const data = { path: 'd.csv', target: 'y', csv: { separator: ';', decimal: ',' } };
  const sql = 'SELECT size / 3 AS third, size, city, y FROM data';
  await expect(preprocessed(csv, { sql }, { data })).rejects.toMatchObject({
    message: expect.stringMatching(
      /^d\.csv: column "city" is text of 3 levels \(such as "Oslo"\);/,
    ) as string,
  });
  const made = await preprocessed(csv, { sql, auto: true }, { data });
  expect(TableSchema.parse(made.json('schema.json')).features).toEqual([
    'third',
    'size',
    ...['city=Bonn', 'city=Oslo', 'city=Rome'],
  ]);
});

test('preprocess.auto takes them, and says what it did', async () => {
  for (const preprocess of [{ auto: true }, { auto: true, filter: 'size >= 0' }]) {
    const made = await preprocessed(table(MIXED), preprocess);
    expect(TableSchema.parse(made.json('schema.json')).features).toEqual([
      'size',
      ...['city=Bonn', 'city=Oslo', 'city=Rome'],
      ...['joined_year', 'joined_month', 'joined_day', 'joined_weekday', 'joined_days'],
      'shop',
      'member',
    ]);
    const { notes, columns } = TableProfile.parse(made.json('profile.json'));
    expect(notes).toEqual([
      'column "city" is text of 3 levels: one-hot',
      'column "joined" holds dates: joined_year, joined_month, joined_day, joined_weekday, joined_days',
      'column "note" is text, 400 different ones in 400 rows: left out',
      'column "shop" is text of 60 levels: ordinal',
    ]);
    // 2024-01-10 is 19732 days after 1970-01-01.
    expect(columns.find(({ name }) => name === 'joined_days')).toMatchObject({ min: 19_732 });
    expect(columns.find(({ name }) => name === 'member')).toMatchObject({ min: 0, max: 1, mean: 0.2 });
  }
});

test('a cell that is text among numbers is named, as before', async () => {
  const data = table({ a: (row) => (row === 77 ? 'tall' : row), y: (row) => (row % 2 ? 'x' : 'z') });
  await expect(preprocessed(data)).rejects.toMatchObject({
    message: 'd.csv:79: column "a": "tall" is text, expected a number',
  });
});

test('a one-hot column of too many levels is refused, by its name', async () => {
  const rows = Array.from({ length: 2400 }, (_, row) => `${row},zip ${row % 1200},${row % 2 ? 'x' : 'z'}`);
  await expect(
    preprocessed(`a,zip,y\n${rows.join('\n')}\n`, { encode: { zip: 'one-hot' }, split: 'random' }),
  ).rejects.toMatchObject({
    code: 'DATA_INVALID',
    message: expect.stringMatching(
      /^d\.csv: column "zip" has 1\d\d\d levels, and one-hot makes a column of each, expected at most 1000; encode it as one number \(preprocess\.encode: \{ "zip": ordinal \}\), or drop it$/,
    ) as string,
  });
});

test('a target of numbers that are no classes proposes regression', async () => {
  const data = table({ a: (row) => row, y: (row) => ((row * 7919) % 1000) / 8 });
  await expect(preprocessed(data)).rejects.toMatchObject({
    code: 'DATA_INVALID',
    message:
      'd.csv: column "y" holds 400 different numbers in 400 rows, which are no classes; for a number to predict, set task: regression',
  });
  const digits = table({ a: (row) => row, y: (row) => row % 40 });
  await expect(preprocessed(digits)).resolves.toBeDefined();
});

test('a process of its own leaves nothing outside of its folder', async () => {
  const made = await preprocessed(table(MIXED), { auto: true, filter: 'true' });
  expect(readdirSync(join(made.dir, 'tmp'))).toEqual([]);
});
