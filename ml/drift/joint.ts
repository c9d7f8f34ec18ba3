import { type Column } from '../dataset/raw-table';
import { type LabelledMatrix } from '../dataset/matrix';
import { growForest } from '../forest/histogram/grow-forest';
import { type ForestSettings } from '../forest/histogram/settings';
import { predictBatch } from '../forest/predict';
import { Random } from '../random/random';
import { groupedAuc } from './grouped-auc';
import { drawRows } from './reservoir';
import { normalTail } from './normal-tail';

/** How well a forest tells rows of now from rows of the reference. */
export interface JointDrift {
  /** Of rows that its trees did not see: 0.5 is not at all. */
  auc: number;
  /** Ends of the 95 % interval. */
  low: number;
  high: number;
  /** Chance of such an area where it could tell them no better than `leastAuc`. */
  chance: number;
  /** Those that it went by most, at most five. */
  columns: string[];
}

/** Rows of each side at most: an area is then known to a hundredth. */
const MOST_ROWS = 3000;
const FOLDS = 5;
const TREES = 50;
const NAMED = 5;
/**
 * Folds learn from mostly the same rows, so their areas go together: the variance of a mean of K folds is not 1 / K of one fold's but
 * 1 / K + held out / learned from (Nadeau and Bengio, "Inference for the generalization error", 2003).
 */
const SHARED = 1 + FOLDS / (FOLDS - 1);
const NORMAL_95 = 1.959963984540054;

/** From this share of different rows on, rows that are equal are taken for one and the same. */
const MOSTLY_DISTINCT = 0.5;

/**
 * A domain classifier: a forest that is to tell rows of now from those of the reference, judged on rows that it did not see (Lopez-Paz and
 * Oquab, "Revisiting classifier two-sample tests", 2017). It finds what no column shows alone, such as two that no longer go together.
 *
 * Where the rows of the reference mostly differ, equal rows are on one side of every fold, and one draw to the interval: a row that somebody
 * sent a hundred times is not to be known again. In a table of few combinations equal rows are what is to be counted.
 *
 * @param reference columns; at least one
 * @param current the same columns, in the same order and of the same kinds
 * @param options.leastAuc from which area on it matters
 */
export async function jointDrift(
  reference: readonly Column[],
  current: readonly Column[],
  { leastAuc, seed, signal }: { leastAuc: number; seed: number; signal?: AbortSignal },
): Promise<JointDrift> {
  const random = new Random(seed, 0x6a6f_696e);
  const [n, m] = [rowsOf(reference), rowsOf(current)];
  const [before, now] = [drawRows(n, MOST_ROWS, random), drawRows(m, MOST_ROWS, random)];
  const table = jointTable(reference, current, before, now);
  const distinct = distinctRows(table);
  const grouped = new Set(distinct.subarray(0, before.length)).size >= MOSTLY_DISTINCT * before.length;
  const groups = grouped ? distinct : Uint32Array.from(distinct, (_, row) => row);
  const folds = foldsOf(groups, table.labels, random);

  const gains = new Float64Array(table.features);
  let [weights, area, variance] = [0, 0, 0];
  for (let fold = 0; fold < FOLDS; fold++) {
    signal?.throwIfAborted();
    const held = rowsWhere(folds, (one) => one === fold);
    const rest = rowsWhere(folds, (one) => one !== fold);
    const positive = Uint8Array.from(held, (row) => table.labels[row]!);
    const ones = positive.reduce((sum, one) => sum + one, 0);
    const pairs = ones * (held.length - ones);
    if (pairs === 0) continue;
    const { forest, importances } = await growForest(
      taken(table, rest),
      { task: 'classification', labels: Uint32Array.from(rest, (row) => table.labels[row]!), classes: 2 },
      settingsOf(table, rest, seed + fold),
      signal === undefined ? {} : { signal },
    );
    const answers = predictBatch(forest, taken(table, held));
    const scores = Float64Array.from(held, (_, i) => answers[2 * i + 1]!);
    const own = Uint32Array.from(held, (row) => groups[row]!);
    const found = groupedAuc(positive, scores, own);
    weights += pairs;
    area += pairs * found.auc;
    variance += pairs * pairs * found.variance;
    for (let f = 0; f < gains.length; f++) gains[f]! += importances[f]!;
  }
  if (weights === 0) return { auc: 0.5, low: 0, high: 1, chance: 1, columns: [] };
  // Rounding may leave it just above 1.
  const auc = Math.min(1, area / weights);
  // An area of 1, or of rows that are all alike, would be known without doubt: no better than one row more could make it.
  const deviation = Math.max(
    Math.sqrt(SHARED * variance) / weights,
    0.5 / Math.min(before.length, now.length),
  );
  return {
    auc,
    low: Math.max(0, auc - NORMAL_95 * deviation),
    high: Math.min(1, auc + NORMAL_95 * deviation),
    chance: normalTail((auc - leastAuc) / deviation),
    columns: foremost(reference, gains),
  };
}

/** Rows of both, column-major; a text is the place of its level among all, the most frequent first. Label 1: now. */
function jointTable(
  reference: readonly Column[],
  current: readonly Column[],
  before: Uint32Array,
  now: Uint32Array,
): LabelledMatrix {
  const rows = before.length + now.length;
  const values = new Float32Array(rows * reference.length);
  reference.forEach((old, f) => {
    const fresh = current[f]!;
    const into = values.subarray(f * rows, (f + 1) * rows);
    if (old.kind === 'number' && fresh.kind === 'number') {
      before.forEach((row, i) => (into[i] = old.values[row]!));
      now.forEach((row, i) => (into[before.length + i] = fresh.values[row]!));
    } else if (old.kind === 'text' && fresh.kind === 'text') {
      const cells = [
        ...Array.from(before, (row) => old.levels[old.codes[row]!]),
        ...Array.from(now, (row) => fresh.levels[fresh.codes[row]!]),
      ];
      const places = placesByCount(cells);
      cells.forEach((cell, i) => (into[i] = cell === undefined ? Number.NaN : places.get(cell)!));
    } else throw new RangeError(`${old.name} is ${old.kind} in one and ${fresh.kind} in the other`);
  });
  const labels = new Uint32Array(rows).fill(1, before.length);
  return { values, rows, features: reference.length, labels, classes: 2 };
}

function placesByCount(cells: readonly (string | undefined)[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const cell of cells) if (cell !== undefined) counts.set(cell, (counts.get(cell) ?? 0) + 1);
  const falling = [...counts].sort(([a, rows], [b, others]) => others - rows || (a < b ? -1 : 1));
  return new Map(falling.map(([level], place) => [level, place]));
}

/** `[n]` the same number for rows that are the same. */
function distinctRows({ values, rows, features }: LabelledMatrix): Uint32Array {
  const bits = new Uint32Array(values.buffer, values.byteOffset, values.length);
  const numbers = new Map<string, number>();
  const own = new Uint32Array(features);
  const bytes = Buffer.from(own.buffer);
  return Uint32Array.from({ length: rows }, (_, row) => {
    for (let f = 0; f < features; f++) own[f] = bits[f * rows + row]!;
    const key = bytes.toString('latin1');
    const known = numbers.get(key) ?? numbers.size;
    numbers.set(key, known);
    return known;
  });
}

/** `[n]` the fold of each row; a group is in one. Each side is spread over all folds. */
function foldsOf(groups: Uint32Array, labels: Uint32Array, random: Random): Uint8Array {
  const foldOf = new Map<number, number>();
  const order = drawRows(groups.length, groups.length, random);
  for (let i = order.length - 1; i > 0; i--) {
    const other = random.below(i + 1);
    [order[i], order[other]] = [order[other]!, order[i]!];
  }
  const next = [0, 0];
  for (const row of order) {
    if (foldOf.has(groups[row]!)) continue;
    foldOf.set(groups[row]!, next[labels[row]!]!++ % FOLDS);
  }
  return Uint8Array.from(groups, (group) => foldOf.get(group)!);
}

function settingsOf(table: LabelledMatrix, rows: Uint32Array, seed: number): ForestSettings {
  const ones = rows.reduce((sum, row) => sum + table.labels[row]!, 0);
  return {
    ...{ trees: TREES, seed: seed >>> 0, criterion: 'gini', splitter: 'best', maxDepth: 12 },
    ...{ minSamplesSplit: 10, minSamplesLeaf: 5, draws: rows.length, replace: true, refineBins: 0 },
    maxFeatures: Math.max(1, Math.round(Math.sqrt(table.features))),
    // Either side weighs the same, however many rows it has.
    classWeights: Float64Array.of(
      rows.length / Math.max(1, 2 * (rows.length - ones)),
      rows.length / Math.max(1, 2 * ones),
    ),
  };
}

function taken(table: LabelledMatrix, rows: Uint32Array): LabelledMatrix {
  const values = new Float32Array(rows.length * table.features);
  for (let f = 0; f < table.features; f++) {
    const from = f * table.rows;
    const to = f * rows.length;
    for (let i = 0; i < rows.length; i++) values[to + i] = table.values[from + rows[i]!]!;
  }
  const labels = Uint32Array.from(rows, (row) => table.labels[row]!);
  return { values, rows: rows.length, features: table.features, labels, classes: 2 };
}

function rowsWhere(folds: Uint8Array, wanted: (fold: number) => boolean): Uint32Array {
  const rows: number[] = [];
  for (let row = 0; row < folds.length; row++) if (wanted(folds[row]!)) rows.push(row);
  return Uint32Array.from(rows);
}

/** Columns that are used more than if all were used alike. */
function foremost(columns: readonly Column[], gains: Float64Array): string[] {
  const whole = gains.reduce((sum, gain) => sum + gain, 0);
  return columns
    .map(({ name }, f) => ({ name, gain: gains[f]! }))
    .filter(({ gain }) => gain > 0 && gain * columns.length >= whole)
    .sort((a, b) => b.gain - a.gain)
    .slice(0, NAMED)
    .map(({ name }) => name);
}

const rowsOf = ([column]: readonly Column[]): number =>
  column === undefined ? 0 : column.kind === 'number' ? column.values.length : column.codes.length;
