import { type DataWarning } from '../../contracts/stage';
import { risingKeys } from './number-keys';
import { eachName, orderByKey } from './order-by-key';
import { columnOf, type Column, type NumberColumn, type RawTable } from './raw-table';
import { type Split } from './split';

/** A rank correlation is not told better by more rows than these. */
const MOST_ROWS = 20_000;

/** One column alone tells the target this well only if it was made from it. */
const SUSPICIOUS = 0.995;

/** Fewer shared rows are chance. */
const SHARED_SHARE = 0.01;

const RARE_SHARE = 0.01;
const FEW_TEST_ROWS = 30;

/** Fewer rows than these prove nothing about one column. */
const FEWEST_ROWS = 30;

/** What warnings are about. */
export interface Looked {
  table: RawTable;
  features: readonly string[];
  target: string;
  classes: readonly string[];
  /** `[n]` class numbers; null for regression. */
  numbers: Uint32Array | null;
  split: Pick<Split, 'train' | 'test'>;
  /** The split keeps equal rows together, so none can be on both sides. */
  equalTogether: boolean;
}

/** What a good colleague would say of a table before anything is trained on it. */
export function warningsOf(looked: Looked): DataWarning[] {
  const { table, features } = looked;
  const columns = features.map((name) => columnOf(table, name));
  return [
    ...sharedRows(looked, columns),
    ...columns.flatMap((column) => aboutColumn(column, looked)),
    ...aboutClasses(looked),
    ...(looked.split.test.length < FEW_TEST_ROWS
      ? [
          {
            kind: 'few-test-rows' as const,
            message: `only ${looked.split.test.length} rows are held out: each one moves accuracy by ${(100 / Math.max(1, looked.split.test.length)).toFixed(1)} points`,
          },
        ]
      : []),
  ];
}

/** Rows of the test set whose features and target are also among the training rows. */
function sharedRows(
  { table, target, split, equalTogether }: Looked,
  features: readonly Column[],
): DataWarning[] {
  if (equalTogether) return [];
  const columns = [...features, columnOf(table, target)];
  const hashes = rowHashes(columns, table.rows);
  const trained = new Set<number>();
  for (const row of split.train) trained.add(hashes[row]!);
  const shared = split.test.filter((row) => trained.has(hashes[row]!)).length;
  // A row that happens to be there twice, as in iris, changes nothing.
  if (shared < Math.max(2, split.test.length * SHARED_SHARE)) return [];
  return [
    {
      kind: 'leakage',
      message: `${shared} of ${split.test.length} test rows are also among the training rows, so the figures are too good; set preprocess.deduplicate: true`,
    },
  ];
}

/** `[n]` 53 bits of hash: in a million rows, two that differ share one with a chance of 1 in 10,000. */
function rowHashes(columns: readonly Column[], rows: number): Float64Array {
  const low = new Uint32Array(rows).fill(0x811c9dc5);
  const high = new Uint32Array(rows).fill(0x9e3779b9);
  const value = new Float64Array(1);
  const words = new Uint32Array(value.buffer);
  for (const column of columns) {
    for (let row = 0; row < rows; row++) {
      // Adding 0 makes -0 and 0 the same bytes.
      value[0] = column.kind === 'number' ? column.values[row]! + 0 : column.codes[row]!;
      if (value[0] !== value[0]) value[0] = Number.NaN;
      low[row] = Math.imul(low[row]! ^ words[0]!, 0x01000193) ^ Math.imul(words[1]!, 0x85ebca6b);
      high[row] =
        Math.imul((high[row]! >>> 15) ^ high[row]! ^ words[1]!, 0xc2b2ae35) ^
        Math.imul(words[0]!, 0x27d4eb2f);
    }
  }
  return Float64Array.from(low, (word, row) => word * 2 ** 21 + (high[row]! >>> 11));
}

function aboutColumn(column: Column, looked: Looked): DataWarning[] {
  const shown = JSON.stringify(column.name);
  if (column.kind === 'text') {
    const occurring = new Set(column.codes);
    return occurring.size <= 1 ? [constant(shown)] : [];
  }
  const { values } = column;
  const first = values[0];
  if (values.every((value) => value === first || (value !== value && first !== first)))
    return [constant(shown)];
  if (isId(column)) {
    return [
      {
        kind: 'id',
        message: `column ${shown} is a different integer in every row, as an id is; drop it (preprocess.drop), as it means nothing of rows to come`,
      },
    ];
  }
  const strength = strengthOf(column, looked);
  if (strength < SUSPICIOUS || looked.split.train.length < FEWEST_ROWS) return [];
  return [
    {
      kind: 'leakage',
      message: `column ${shown} alone tells the target (${looked.numbers === null ? 'rank correlation' : 'AUC'} ${strength.toFixed(3)}); was it made from it, or after it was known?`,
    },
  ];
}

const constant = (shown: string): DataWarning => ({
  kind: 'constant',
  message: `column ${shown} has one value in all rows, and tells nothing; drop it (preprocess.drop)`,
});

/** Integers that all differ and leave few gaps: a running number. A measure with as many values has gaps or fractions. */
function isId({ values }: NumberColumn): boolean {
  if (values.length < FEWEST_ROWS) return false;
  let [min, max] = [Infinity, -Infinity];
  for (const value of values) {
    if (!Number.isSafeInteger(value)) return false;
    if (value < min) min = value;
    if (value > max) max = value;
  }
  if (max - min > values.length * 10) return false;
  const seen = new Uint8Array(max - min + 1);
  for (const value of values) {
    if (seen[value - min] === 1) return false;
    seen[value - min] = 1;
  }
  return true;
}

/** Over a part of the training rows: the AUC of the column's values for the best class, or its rank correlation with the target. */
function strengthOf({ values }: NumberColumn, { table, target, numbers, classes, split }: Looked): number {
  const step = Math.max(1, Math.ceil(split.train.length / MOST_ROWS));
  const rows = sampled(split.train, step, values);
  const ranks = ranksOf(Float64Array.from(rows, (row) => values[row]!));
  if (numbers === null) {
    const column = columnOf(table, target);
    if (column.kind === 'text') return 0;
    return Math.abs(correlation(ranks, ranksOf(Float64Array.from(rows, (row) => column.values[row]!))));
  }
  const sums = new Float64Array(classes.length);
  const counts = new Float64Array(classes.length);
  for (const [i, row] of rows.entries()) {
    sums[numbers[row]!]! += ranks[i]!;
    counts[numbers[row]!]!++;
  }
  // With two classes the AUC of the one is that of the other; with more, a class at either end of a column is nothing odd.
  if (classes.length !== 2) return 0;
  const [others = 0, own = 0] = counts;
  if (own < 5 || others < 5) return 0;
  const auc = (sums[1]! - (own * (own + 1)) / 2) / (own * others);
  return Math.max(auc, 1 - auc);
}

/** One of every `step` rows, where the column has a value there. */
function sampled(rows: Uint32Array, step: number, values: Float64Array): Uint32Array {
  const kept = new Uint32Array(Math.ceil(rows.length / step));
  let size = 0;
  for (let i = 0; i < rows.length; i += step) {
    const row = rows[i]!;
    if (!Number.isNaN(values[row])) kept[size++] = row;
  }
  return kept.subarray(0, size);
}

/** Ranks from 1, ties share their mean. */
function ranksOf(values: Float64Array): Float64Array {
  const ordered = orderByKey(risingKeys(values));
  const ranks = new Float64Array(values.length);
  eachName(ordered, (start, end) => {
    for (let i = start; i < end; i++) ranks[ordered.order[i]!] = (start + 1 + end) / 2;
  });
  return ranks;
}

function correlation(a: Float64Array, b: Float64Array): number {
  const mean = (values: Float64Array): number =>
    values.reduce((sum, value) => sum + value, 0) / values.length;
  const [meanA, meanB] = [mean(a), mean(b)];
  let [both, squaresA, squaresB] = [0, 0, 0];
  for (let i = 0; i < a.length; i++) {
    both += (a[i]! - meanA) * (b[i]! - meanB);
    squaresA += (a[i]! - meanA) ** 2;
    squaresB += (b[i]! - meanB) ** 2;
  }
  return squaresA === 0 || squaresB === 0 ? 0 : both / Math.sqrt(squaresA * squaresB);
}

function aboutClasses({ numbers, classes, table }: Looked): DataWarning[] {
  if (numbers === null) return [];
  const counts = new Uint32Array(classes.length);
  for (const number of numbers) counts[number]!++;
  return classes.flatMap((name, k) => {
    const share = (counts[k] ?? 0) / table.rows;
    if (share >= RARE_SHARE) return [];
    return [
      {
        kind: 'rare-class' as const,
        message: `class ${JSON.stringify(name)} has ${counts[k]} of ${table.rows} rows (${(share * 100).toFixed(2)} %): look at its recall, not at accuracy`,
      },
    ];
  });
}
