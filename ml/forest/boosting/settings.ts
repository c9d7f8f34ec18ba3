/** Everything that decides how trees are boosted, resolved to plain numbers. */
export interface BoostSettings {
  /** Rounds at most; a round is one tree, or one per class when there are more than two. */
  rounds: number;
  seed: number;
  /** Shrinks what each tree adds. */
  learningRate: number;
  /** Leaves of a tree at most. */
  maxLeaves: number;
  maxDepth: number;
  /** Rows that each side of a split must keep; for classes, as estimated from second derivatives (like LightGBM). */
  minSamplesLeaf: number;
  /** L2 regularisation of the leaf values. */
  l2: number;
  /** Stops when the loss on rows held out has not fallen for so many rounds; absent: never. */
  earlyStopping?: { fraction: number; patience: number };
}
