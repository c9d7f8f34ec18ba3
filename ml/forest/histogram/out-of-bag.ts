import { setImmediate as nextTurn } from 'node:timers/promises';
import type { FeatureMatrix } from '../../dataset/matrix';
import { Random } from '../../random/random';
import type { Forest } from '../forest';
import { classNumbers, leafOf } from '../predict';
import { drawRows } from './sample';
import type { ForestSettings } from './settings';
import type { Targets } from './targets';

/**
 * Scores a forest on its training table, each row by the trees that did not draw it: accuracy or R². Rows that every
 * tree drew don't count; NaN when that is all of them. The draws are made again from the seed.
 * @throws the signal's reason when it is aborted
 */
export async function outOfBagScore(
  forest: Forest,
  table: FeatureMatrix,
  targets: Targets,
  settings: ForestSettings,
  signal?: AbortSignal,
): Promise<number> {
  const { rows, features, values } = table;
  const width = forest.leafWidth;
  const sums = new Float64Array(rows * width);
  const trees = new Uint32Array(rows);
  const times = new Uint8Array(rows);
  const row = new Float32Array(features);
  for (const [t, tree] of forest.trees.entries()) {
    drawRows(times, settings.draws, settings.replace, new Random(settings.seed, t));
    for (let i = 0; i < rows; i++) {
      if (times[i] !== 0) continue;
      for (let f = 0; f < features; f++) row[f] = values[f * rows + i]!;
      const leaf = leafOf(tree, row, 0) * width;
      for (let k = 0; k < width; k++) sums[i * width + k]! += tree.values[leaf + k]!;
      trees[i]! += 1;
    }
    await nextTurn();
    signal?.throwIfAborted();
  }
  return targets.task === 'classification'
    ? accuracy(classNumbers(sums, width), targets.labels, trees)
    : rSquared(
        sums.map((sum, i) => forest.baseScore[0]! + sum / trees[i]!),
        targets.values,
        trees,
      );
}

function accuracy(predicted: Uint32Array, labels: Uint32Array, trees: Uint32Array): number {
  let right = 0;
  let counted = 0;
  for (let i = 0; i < labels.length; i++) {
    if (trees[i] === 0) continue;
    counted++;
    if (predicted[i] === labels[i]) right++;
  }
  return right / counted;
}

function rSquared(predicted: Float64Array, values: Float32Array, trees: Uint32Array): number {
  const rows = Array.from(values.keys()).filter((i) => trees[i]! > 0);
  const mean = rows.reduce((sum, i) => sum + values[i]!, 0) / rows.length;
  let residual = 0;
  let total = 0;
  for (const i of rows) {
    residual += (values[i]! - predicted[i]!) ** 2;
    total += (values[i]! - mean) ** 2;
  }
  return 1 - residual / total;
}
