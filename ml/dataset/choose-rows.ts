import { RetrainError } from '../../contracts/errors';
import { type PreprocessParams } from '../../contracts/params';
import { Random } from '../random/random';
import { columnOf, textAt, type RawTable, type TextColumn } from './raw-table';
import { stratifiedSplit, type Split } from './split';

/** What a split goes by. */
export interface SplitBasis {
  /** `[n]` class numbers; null for regression. */
  labels: Uint32Array | null;
  classes: readonly string[];
}

/**
 * Chooses the test rows as `preprocess.split` says, by a seeded generator; both lists rise.
 *
 * @throws RetrainError CONFIG_INVALID for a split without its column, DATA_INVALID for a table that is too small or
 * that leaves a class out of the training rows.
 */
export function chooseRows(table: RawTable, basis: SplitBasis, params: PreprocessParams): Split {
  const { labels, classes } = basis;
  const { test_size, seed } = params;
  if (table.rows < 2) {
    throw new RetrainError('DATA_INVALID', `${table.file}: holds ${table.rows} row, expected at least 2`);
  }
  switch (params.split) {
    case 'stratified':
      return labels === null
        ? byRank(randomRank(table.rows, seed), share(table.rows, test_size))
        : stratifiedSplit(labels, classes, test_size, seed, table.file);
    case 'random':
      return checked(table, basis, byRank(randomRank(table.rows, seed), share(table.rows, test_size)));
    case 'k-fold':
      return checked(table, basis, fold(table, basis, params));
    case 'time':
      return checked(table, basis, latest(table, params));
    case 'grouped':
      return checked(table, basis, wholeGroups(table, params));
  }
}

const share = (rows: number, testSize: number): number =>
  Math.min(rows - 1, Math.max(1, Math.ceil(rows * testSize - 1e-9)));

/** `[n]` place of each row in a seeded shuffle. */
function randomRank(rows: number, seed: number): Uint32Array {
  const order = new Random(seed).shuffle(Uint32Array.from({ length: rows }, (_, row) => row));
  const rank = new Uint32Array(rows);
  for (const [place, row] of order.entries()) rank[row] = place;
  return rank;
}

function byRank(rank: Uint32Array, testRows: number): Split {
  return splitBy(rank.length, (row) => (rank[row] ?? 0) < testRows);
}

function splitBy(rows: number, isTest: (row: number) => boolean): Split {
  const all = Uint32Array.from({ length: rows }, (_, row) => row);
  return { train: all.filter((row) => !isTest(row)), test: all.filter(isTest) };
}

/** Rows are dealt out to the folds one by one, class by class, so that each fold has its share of each class. */
function fold(table: RawTable, { labels }: SplitBasis, { folds, fold: held, seed }: PreprocessParams): Split {
  if (held >= folds) {
    throw new RetrainError(
      'CONFIG_INVALID',
      `preprocess.fold must be below preprocess.folds (${folds}), got ${held}`,
    );
  }
  if (table.rows < folds) {
    throw new RetrainError(
      'DATA_INVALID',
      `${table.file}: holds ${table.rows} rows, expected at least one for each of ${folds} folds`,
    );
  }
  const rank = randomRank(table.rows, seed);
  const order = Uint32Array.from(rank, (_, row) => row).sort(
    (a, b) => (labels?.[a] ?? 0) - (labels?.[b] ?? 0) || (rank[a] ?? 0) - (rank[b] ?? 0),
  );
  const foldOf = new Uint32Array(table.rows);
  for (const [place, row] of order.entries()) foldOf[row] = place % folds;
  return splitBy(table.rows, (row) => foldOf[row] === held);
}

/** The last rows in time are held out; rows of equal time stay together, as training rows. */
function latest(table: RawTable, { time_by, test_size }: PreprocessParams): Split {
  const column = textColumn(table, 'time_by', time_by);
  const moments = Array.from({ length: table.rows }, (_, row) => {
    const text = textAt(column, row);
    const moment =
      text === undefined ? Number.NaN : Number.isNaN(Number(text)) ? Date.parse(text) : Number(text);
    if (!Number.isNaN(moment)) return moment;
    throw new RetrainError(
      'DATA_INVALID',
      `${table.file}: row ${table.rowNumbers?.[row] ?? row + 1}, column "${column.name}": ${JSON.stringify(text ?? '')} is no time, expected a number or a date such as 2024-05-31`,
    );
  });
  const sorted = Float64Array.from(moments).sort();
  const border = sorted[table.rows - share(table.rows, test_size) - 1] ?? 0;
  const split = splitBy(table.rows, (row) => (moments[row] ?? 0) > border);
  if (split.test.length > 0) return split;
  throw new RetrainError(
    'DATA_INVALID',
    `${table.file}: column "${column.name}": the latest ${share(table.rows, test_size)} rows have the same time as the one before, so none can be held out; raise preprocess.test_size`,
  );
}

/** Groups are drawn in a seeded order until they hold the test rows' share; a missing group is one of its own. */
function wholeGroups(table: RawTable, { group_by, test_size, seed }: PreprocessParams): Split {
  const column = textColumn(table, 'group_by', group_by);
  const sizes = new Uint32Array(column.levels.length + 1);
  for (const code of column.codes) sizes[code + 1] = (sizes[code + 1] ?? 0) + 1;
  const groups = Uint32Array.from(sizes, (_, group) => group).filter((group) => (sizes[group] ?? 0) > 0);
  if (groups.length < 2) {
    throw new RetrainError(
      'DATA_INVALID',
      `${table.file}: column "${column.name}" holds one group only, expected at least 2 for a grouped split`,
    );
  }
  const wanted = share(table.rows, test_size);
  const held = new Set<number>();
  let rows = 0;
  for (const group of new Random(seed).shuffle(groups)) {
    if (rows >= wanted || held.size === groups.length - 1) break;
    held.add(group);
    rows += sizes[group] ?? 0;
  }
  return splitBy(table.rows, (row) => held.has((column.codes[row] ?? -1) + 1));
}

function textColumn(table: RawTable, key: 'group_by' | 'time_by', name: string | undefined): TextColumn {
  const column = name === undefined ? undefined : columnOf(table, name);
  if (column?.kind === 'text') return column;
  throw new RetrainError(
    'CONFIG_INVALID',
    `preprocess.${key} is missing, expected the column that the split goes by`,
  );
}

/** A class that only occurs among the test rows cannot be learned, and one that is in none cannot be measured. */
function checked(table: RawTable, { labels, classes }: SplitBasis, split: Split): Split {
  if (labels === null) return split;
  const trained = new Set(Array.from(split.train, (row) => labels[row] ?? 0));
  const lost = classes.find((_, k) => !trained.has(k));
  if (lost === undefined) return split;
  throw new RetrainError(
    'DATA_INVALID',
    `${table.file}: this split leaves class "${lost}" without a training row; choose preprocess.split: stratified, another seed, or more rows`,
  );
}
