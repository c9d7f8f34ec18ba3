/** Everything that decides how a forest is grown, resolved to plain numbers; travels to the threads. */
export interface ForestSettings {
  /** Number of trees. */
  trees: number;
  seed: number;
  /** What a split is to reduce. `squared_error` for regression, the others for classes. */
  criterion: 'gini' | 'entropy' | 'squared_error';
  /** `best`: the best threshold of each feature drawn. `random`: one at random per feature (extra-trees). */
  splitter: 'best' | 'random';
  /** Largest depth of a tree; the root alone has depth 0. */
  maxDepth: number;
  /** Distinct training rows that a node needs to be split. */
  minSamplesSplit: number;
  /** Distinct training rows that each side of a split must keep. */
  minSamplesLeaf: number;
  /** Features drawn per split. */
  maxFeatures: number;
  /** Rows drawn per tree. */
  draws: number;
  /** Whether a row may be drawn more than once (bootstrap). */
  replace: boolean;
  /** Bins with rows in a node up to which its split is refined by the values themselves. */
  refineBins: number;
  /** `[K]` weight of each class; absent for regression. */
  classWeights?: Float64Array;
}
