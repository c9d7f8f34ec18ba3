import { matcher } from '../../contracts/file-pattern';
import { DataParams } from '../../contracts/params';

const parsed = (path: string, more: object = {}): unknown => DataParams.parse({ path, target: 'y', ...more });

test.each([
  ['data/iris.csv', { path: 'data/iris.csv' }],
  ['data/*.csv', { path: 'data', files: '*.csv' }],
  ['a/b/2024-??/**/*.parquet', { path: 'a/b', files: '2024-??/**/*.parquet' }],
])('%s is a directory and a pattern below it', (path, expected) => {
  expect(parsed(path)).toEqual({ ...expected, target: 'y' });
  // What was parsed once, is parsed again by the worker.
  expect(DataParams.parse(parsed(path))).toEqual(parsed(path));
});

test('a pattern needs a directory before it, and is not given twice', () => {
  expect(() => parsed('*.csv')).toThrow('must name a directory before the first * or ?');
  expect(() => parsed('data/*.csv', { files: 'a*' })).toThrow('must be a directory without * and ?');
});

test.each([
  ['*.csv', ['a.csv', '.csv', 'a+b (1).csv'], ['a.csv.gz', 'x/a.csv', 'acsv']],
  ['part-?.csv', ['part-1.csv', 'part-é.csv'], ['part-.csv', 'part-12.csv', 'part-/.csv']],
  ['**/*.csv', ['a.csv', 'x/a.csv', 'x/y/a.csv'], ['a.txt', 'x/a.csv/b']],
  ['2024/**', ['2024/a', '2024/b/c'], ['2024', '2025/a']],
  ['[a].csv', ['[a].csv'], ['a.csv']],
])('%s', (pattern, fits, others) => {
  const isMeant = matcher(pattern);
  expect(fits.filter((one) => !isMeant(one))).toEqual([]);
  expect(others.filter((one) => isMeant(one))).toEqual([]);
});
