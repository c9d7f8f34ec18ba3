/**
 * One binary decision tree as typed arrays; node 0 is the root.
 *
 * A row goes left at node i when `row[feature[i]] <= threshold[i]`, right when it is greater, and where
 * `missingLeft[i]` says when the value is missing (NaN). Siblings sit side by side: the right child is the
 * left child plus one.
 */
export interface Tree {
  /** `[nodes]` feature tested, or -1 for a leaf. */
  feature: Int16Array;
  /** `[nodes]` in the units of the feature; 0 at a leaf. */
  threshold: Float32Array;
  /** `[nodes]` index of the left child; at a leaf, its row of `values`. */
  child: Int32Array;
  /** `[nodes]` 1: a missing value goes left; 0: right. */
  missingLeft: Uint8Array;
  /** `[v, leafWidth]`, row-major. Leaves that say the same share a row, so v is often far below the number of leaves. */
  values: Float32Array;
  /** Output that the first value of a leaf adds to; the others follow. */
  output: number;
}

/** Most features that a tree can name (`Tree.feature` is int16). */
export const MAX_FEATURES = 0x7fff;

/**
 * The one in-memory form of every tree model: random forests, extra-trees, boosted trees and constants.
 *
 * raw[k] = baseScore[k] + aggregate over the trees of the leaf that the row falls into; the link turns
 * raw scores `[outputs]` into probabilities `[classes]` (classification) or leaves them alone (regression).
 */
export interface Forest {
  kind: 'forest';
  task: 'classification' | 'regression';
  /** d */
  features: number;
  /** K of a classification; 0 for regression. */
  classes: number;
  /** Raw scores per row: K, or 1 for regression and for two classes with the link sigmoid. */
  outputs: number;
  /** Values per leaf: `outputs`, or 1 when each tree serves the one output `Tree.output`. */
  leafWidth: number;
  aggregate: 'average' | 'sum';
  /** `sigmoid`: raw score of class 1 of 2, as log odds. `softmax`: K log-probabilities, up to a constant. */
  link: 'none' | 'sigmoid' | 'softmax';
  /** `[outputs]` */
  baseScore: Float32Array;
  trees: Tree[];
}

/**
 * A random forest: leaves hold class probabilities `[K]` or a mean `[1]`, which are averaged.
 * @param base of a regression: what its leaves are differences from
 */
export function averagingForest(
  shape: { task: Forest['task']; features: number; classes: number },
  trees: Tree[],
  base = 0,
): Forest {
  const outputs = shape.task === 'classification' ? shape.classes : 1;
  return {
    kind: 'forest',
    task: shape.task,
    features: shape.features,
    classes: shape.task === 'classification' ? shape.classes : 0,
    outputs,
    leafWidth: outputs,
    aggregate: 'average',
    link: 'none',
    baseScore: new Float32Array(outputs).fill(base),
    trees,
  };
}

/** Columns of a prediction: K probabilities, or one value for regression. */
export function predictionWidth(forest: Pick<Forest, 'task' | 'classes'>): number {
  return forest.task === 'classification' ? forest.classes : 1;
}

/** Nodes of all trees, leaves included. */
export function countNodes(forest: Forest): number {
  return forest.trees.reduce((sum, tree) => sum + tree.feature.length, 0);
}
