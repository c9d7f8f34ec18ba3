import { RetrainError } from '../../contracts/errors';
import type { FeatureMatrix } from '../dataset/matrix';
import { predictionWidth, type Forest, type Tree } from './forest';
import { addLeaves, addRow, fillBlock, packTree, ROWS_ABREAST } from './walk';

/** Bytes of rows that are copied together to row-major order, so that a row's features share cache lines. */
const BLOCK_BYTES = 4 * 1024 * 1024;

/** Packing a node costs a quarter of a row's way down: for fewer rows per node than this it does not pay. */
const ROWS_PER_NODE = 0.25;

/**
 * Predicts all rows of a table `[n, d]`: `[n, K]` class probabilities or `[n, 1]` values, row-major. Float32 numbers, added
 * up in float32, tree by tree: what onnxruntime says on one thread, so that nearly equal classes come out alike.
 * @throws RetrainError MODEL_INVALID when the table is not d wide
 */
export function predictBatch(forest: Forest, table: FeatureMatrix): Float64Array {
  requireWidth(forest, table.features);
  const predictions = new Float64Array(table.rows * predictionWidth(forest));
  predictRange(forest, table, 0, table.rows, predictions);
  return predictions;
}

/** Predicts rows `start` to `end` (exclusive) of the table into their places of `predictions` `[n, K]`. */
export function predictRange(
  forest: Forest,
  table: FeatureMatrix,
  start: number,
  end: number,
  predictions: Float64Array,
): void {
  const { features, outputs, leafWidth } = forest;
  // A leaf reads a column too, see packTree, even where the model takes none.
  const rowWidth = 2 * Math.max(1, features);
  const most = Math.max(16, Math.min(end - start, Math.floor(BLOCK_BYTES / (4 * rowWidth))));
  const blockRows = ROWS_ABREAST * Math.ceil(most / ROWS_ABREAST);
  const block = new Float32Array(blockRows * rowWidth);
  const raw = new Float32Array(blockRows * outputs);
  const width = predictionWidth(forest);
  for (let from = start; from < end; from += blockRows) {
    const rows = Math.min(blockRows, end - from);
    fillBlock(table.values, table.rows, features, from, rows, block);
    raw.fill(0);
    for (const tree of forest.trees) {
      if (rows >= ROWS_PER_NODE * tree.feature.length) {
        addLeaves(packTree(tree, features), leafWidth, block, rowWidth, rows, raw, outputs);
      } else {
        for (let i = 0; i < rows; i++) addLeaf(tree, leafWidth, block, i * rowWidth, raw, i * outputs);
      }
    }
    finish(forest, raw, rows, predictions, from * width);
  }
}

/** Adds the leaf that the row at `rows[at…]` falls into to the raw scores at `raw[to…]`. */
function addLeaf(
  tree: Tree,
  leafWidth: number,
  rows: Float32Array,
  at: number,
  raw: Float32Array,
  to: number,
): void {
  addRow(tree.values, leafOf(tree, rows, at) * leafWidth, leafWidth, raw, to + tree.output);
}

/** The row of `tree.values` that a table row, its features at `rows[at…]`, falls into. */
export function leafOf(tree: Tree, rows: Float32Array, at: number): number {
  const { feature, threshold, child, missingLeft } = tree;
  let node = 0;
  let tested = feature[0]!;
  while (tested >= 0) {
    const value = rows[at + tested]!;
    const left = child[node]!;
    // `value <= threshold` is false for NaN, which then takes the side that the split has learned.
    const goesLeft = value <= threshold[node]! || (value !== value && missingLeft[node] === 1);
    node = goesLeft ? left : left + 1;
    tested = feature[node]!;
  }
  return child[node]!;
}

/** A forest of which it matters only how many trees it has. */
type ManyTrees = Omit<Forest, 'trees'> & { trees: { length: number } };

/** Aggregates and links the raw scores of `rows` rows into `out[at…]`. */
export function finish(
  forest: ManyTrees,
  raw: Float32Array,
  rows: number,
  out: Float64Array,
  at: number,
): void {
  const { outputs, link, baseScore } = forest;
  const trees = forest.aggregate === 'average' ? Math.max(1, forest.trees.length) : 1;
  for (let i = 0; i < rows; i++) {
    for (let k = 0; k < outputs; k++) {
      // In two steps, each rounded.
      raw[i * outputs + k] = raw[i * outputs + k]! / trees;
      raw[i * outputs + k]! += baseScore[k] ?? 0;
    }
  }
  switch (link) {
    case 'none':
      for (let i = 0; i < rows * outputs; i++) out[at + i] = raw[i]!;
      return;
    case 'sigmoid':
      for (let i = 0; i < rows; i++) {
        const p = Math.fround(1 / (1 + Math.exp(-raw[i]!)));
        out[at + 2 * i] = Math.fround(1 - p);
        out[at + 2 * i + 1] = p;
      }
      return;
    case 'softmax':
      for (let i = 0; i < rows; i++)
        softmax(raw.subarray(i * outputs, (i + 1) * outputs), out, at + i * outputs);
      return;
  }
}

function softmax(scores: Float32Array, out: Float64Array, at: number): void {
  let largest = -Infinity;
  for (const score of scores) largest = Math.max(largest, score);
  let sum = 0;
  for (let k = 0; k < scores.length; k++) {
    const e = Math.exp(scores[k]! - largest);
    out[at + k] = e;
    sum += e;
  }
  for (let k = 0; k < scores.length; k++) out[at + k] = Math.fround(out[at + k]! / sum);
}

/** @throws RetrainError MODEL_INVALID when rows are not as wide as the model's */
export function requireWidth(forest: Forest, width: number): void {
  if (width === forest.features) return;
  throw new RetrainError(
    'MODEL_INVALID',
    `rows have ${width} features, the model takes ${forest.features}: give it the columns that it was trained on, in their order`,
  );
}

/** Class numbers `[n]` of probabilities `[n, K]`: the largest, the first of equals. */
export function classNumbers(probabilities: Float64Array, classes: number): Uint32Array {
  const numbers = new Uint32Array(probabilities.length / classes);
  for (let i = 0; i < numbers.length; i++) {
    let best = 0;
    for (let k = 1; k < classes; k++) {
      if ((probabilities[i * classes + k] ?? 0) > (probabilities[i * classes + best] ?? 0)) best = k;
    }
    numbers[i] = best;
  }
  return numbers;
}
