import { RandomForestClassifier } from 'ml-random-forest';
import { RetrainError } from '../../contracts/errors';
import type { LabelledMatrix } from '../dataset/matrix';
import { averagingForest, type Forest, type Tree } from '../forest/forest';
import { Random } from '../random/random';
import { pause } from './cancellation';
import { treesOf } from './cart-trees';
import type { Trainer } from './trainer';

/**
 * The npm package ml-random-forest as a trainer: exact splits, Gini impurity, bootstrap samples, and the features
 * drawn per tree, with replacement. Its time is quadratic in the rows: for tables of a few thousand.
 *
 * Where it differs from the package's own `predict`: leaves vote with their class shares and not with one
 * class, as in scikit-learn. Its `maxSamples` is left alone (it takes the first rows, not a sample), and so
 * are its out-of-bag results, which cost as much as the training.
 */
export const mlRandomForest: Trainer<Forest> = {
  async train(table, params, hooks = {}) {
    if (!('labels' in table)) {
      throw new RetrainError(
        'CONFIG_INVALID',
        'train.engine: ml-random-forest trains classes only; for task regression, take the engine histogram',
      );
    }
    requireNumbers(table);
    const rows = rowsOf(table);
    const labels = Array.from(table.labels);
    const trees: Tree[] = [];
    const total = params.n_estimators;
    for (let t = 0; t < total; t++) {
      // One package forest per tree: the package reports no progress within a forest.
      trees.push(
        growTree(rows, labels, table.classes, new Random(params.seed, t).uint32(), params.max_depth),
      );
      hooks.onProgress?.(t + 1, total);
      await pause(hooks.signal, t + 1, total);
    }
    const shape = { task: 'classification', features: table.features, classes: table.classes } as const;
    return { model: averagingForest(shape, trees) };
  },
};

function growTree(
  rows: number[][],
  labels: number[],
  classes: number,
  seed: number,
  maxDepth: number | null,
): Tree {
  const forest = new RandomForestClassifier({
    nEstimators: 1,
    seed,
    noOOB: true,
    // The package stops at 3 rows or a gain of 0.01 unless told; we grow to purity, as documented.
    treeOptions: { minNumSamples: 1, gainThreshold: 0, maxDepth: maxDepth ?? Infinity },
  });
  forest.train(rows, labels);
  const [tree] = treesOf(forest, classes);
  if (tree === undefined) throw new RetrainError('STAGE_FAILED', 'ml-random-forest made no tree: expected 1');
  return tree;
}

function rowsOf(table: LabelledMatrix): number[][] {
  return Array.from({ length: table.rows }, (_, i) =>
    Array.from({ length: table.features }, (_, f) => table.values[f * table.rows + i] ?? NaN),
  );
}

function requireNumbers(table: LabelledMatrix): void {
  if (table.rows === 0)
    throw new RetrainError('DATA_INVALID', 'there are no training rows: expected at least 1');
  const missing = table.values.findIndex(Number.isNaN);
  if (missing < 0) return;
  throw new RetrainError(
    'DATA_INVALID',
    `training row ${(missing % table.rows) + 1} lacks a value of feature ${Math.floor(missing / table.rows) + 1}: ` +
      'the engine ml-random-forest takes none missing; set preprocess.impute to median or mean',
  );
}
