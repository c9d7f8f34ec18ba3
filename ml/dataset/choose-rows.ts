import { RetrainError } from '../../contracts/errors';
import { type PreprocessParams } from '../../contracts/params';
import { dealRows, drawRows } from './draw-rows';
import { drawOrder, type KeyOrder } from './order-by-key';
import { isBeforeGap, momentsOf } from './moments';
import { columnOf, type RawTable, type TextColumn } from './raw-table';
import { type RowNames } from './row-names';
import { countRows, type Split, splitBy, stratifiedSplit } from './split';

/** What a split goes by. */
export interface SplitBasis {
  /** Rows of one name stay on one side, except in a split by time. For a grouped split: the groups' names. */
  names: RowNames;
  /** `[n]` class numbers; null for regression. */
  labels: Uint32Array | null;
  classes: readonly string[];
}

/**
 * Chooses the test rows as `preprocess.split` says; both lists rise. But for a split by time, a row's side hangs on its
 * name and the seed: when rows are appended, removed or moved, the others stay where they are, except about √n of them
 * at the border, which exact shares need.
 *
 * @throws RetrainError CONFIG_INVALID for a split without its column, DATA_INVALID for a table that is too small or
 * that leaves a class out of the training rows.
 */
export function chooseRows(table: RawTable, basis: SplitBasis, params: PreprocessParams): Split {
  const { labels, classes, names } = basis;
  const { test_size, seed } = params;
  if (table.rows < 2) {
    throw new RetrainError('DATA_INVALID', `${table.file}: holds ${table.rows} row, expected at least 2`);
  }
  if (params.split === 'time') return checked(table, basis, latest(table, params));
  const order = drawOrder(names, seed);
  switch (params.split) {
    case 'stratified':
      return labels === null
        ? atRandom(table, order, test_size)
        : checked(table, basis, stratifiedSplit(order, labels, classes, test_size, table.file));
    case 'random':
      return checked(table, basis, atRandom(table, order, test_size));
    case 'k-fold':
      return checked(table, basis, heldFold(table, basis, order, params));
    case 'grouped':
      return checked(table, basis, wholeGroups(table, order, params));
  }
}

const share = (rows: number, testSize: number): number =>
  Math.min(rows - 1, Math.max(1, Math.ceil(rows * testSize - 1e-9)));

/** The names with the smallest keys are held out. */
function atRandom(table: RawTable, order: KeyOrder, testSize: number): Split {
  if (order.ends.indexOf(1) === table.rows - 1) {
    throw new RetrainError(
      'DATA_INVALID',
      `${table.file}: its ${table.rows} rows are all equal, expected at least 2 different ones (equal rows stay on one side of the split)`,
    );
  }
  const drawn = drawRows({ order, labels: null, quotas: [share(table.rows, testSize)] });
  return splitBy(table.rows, (row) => drawn[row] === 1);
}

/** Each fold has its share of each class, as if rows were dealt out one by one, class by class. */
function heldFold(
  table: RawTable,
  { labels, classes }: SplitBasis,
  order: KeyOrder,
  { folds, fold: held }: PreprocessParams,
): Split {
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
  const foldOf = dealRows(order, labels, foldSizes(labels, classes.length, table.rows, folds));
  const split = splitBy(table.rows, (row) => foldOf[row] === held);
  if (split.test.length > 0 && split.train.length > 0) return split;
  throw new RetrainError(
    'DATA_INVALID',
    `${table.file}: fold ${held} of ${folds} holds ${split.test.length} of ${table.rows} rows, as equal rows stay together; choose fewer preprocess.folds`,
  );
}

/** `[K][folds]`: what each fold has of each class when the rows, in order of class, go round the folds. */
function foldSizes(labels: Uint32Array | null, classes: number, rows: number, folds: number): number[][] {
  const counts = labels === null ? [rows] : countRows(labels, classes);
  let dealt = 0;
  return counts.map((count) => {
    const sizes = Array.from({ length: folds }, (_, fold) => {
      const first = (fold - (dealt % folds) + folds) % folds;
      return first >= count ? 0 : Math.floor((count - 1 - first) / folds) + 1;
    });
    dealt += count;
    return sizes;
  });
}

/**
 * The last rows in time are held out; rows of equal time stay together, as training rows. Training rows within `gap` of the first
 * held-out one are on neither side: what they are to predict lies in the time that is held out.
 */
function latest(table: RawTable, { time_by, test_size, gap = 0 }: PreprocessParams): Split {
  const column = textColumn(table, 'time_by', time_by);
  const { values: moments, unit } = momentsOf(table, column);
  const sorted = Float64Array.from(moments).sort();
  const last = table.rows - share(table.rows, test_size) - 1;
  const border = sorted[last] ?? 0;
  const { train, test } = splitBy(table.rows, (row) => (moments[row] ?? 0) > border);
  if (test.length === 0) {
    throw new RetrainError(
      'DATA_INVALID',
      `${table.file}: column "${column.name}": the latest ${share(table.rows, test_size)} rows have the same time as the one before, so none can be held out; raise preprocess.test_size`,
    );
  }
  if (gap === 0) return { train, test };
  const firstHeldOut = sorted[sorted.findIndex((moment) => moment > border)] ?? Infinity;
  const kept = train.filter((row) => isBeforeGap(moments[row] ?? 0, gap, firstHeldOut));
  if (kept.length > 0) return { train: kept, test };
  throw new RetrainError(
    'DATA_INVALID',
    `${table.file}: column "${column.name}": preprocess.gap of ${gap}${unit === 'day' ? ' days' : ''} leaves no row to train on: all ${train.length} before the held-out ones are within it; lower it, or give more rows`,
  );
}

/**
 * Groups are held out in the order of their keys until they hold the test rows' share; rows without a group are one of
 * their own.
 */
function wholeGroups(
  table: RawTable,
  { order, ends }: KeyOrder,
  { group_by, test_size }: PreprocessParams,
): Split {
  const column = textColumn(table, 'group_by', group_by);
  const lastGroup = ends.lastIndexOf(1, -2) + 1;
  if (lastGroup === 0) {
    throw new RetrainError(
      'DATA_INVALID',
      `${table.file}: column "${column.name}" holds one group only, expected at least 2 for a grouped split`,
    );
  }
  // At least the last group stays for training.
  const wanted = Math.min(share(table.rows, test_size), lastGroup);
  const end = ends.indexOf(1, wanted - 1) + 1;
  const held = new Uint8Array(table.rows);
  for (const row of order.subarray(0, end)) held[row] = 1;
  return splitBy(table.rows, (row) => held[row] === 1);
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
