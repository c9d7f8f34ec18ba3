import { MAX_BINS } from '../histogram/bins';

/** Sums of gradients and hessians per bin of each feature, for the rows of one leaf: `[d, 256, 2]`. */
export type LeafHistogram = Float64Array;

/** A leaf of a tree that is still growing. */
export interface GrowingLeaf {
  node: number;
  /** Its rows: `from` to `to` (exclusive) of row numbers, in the array number `side`. */
  from: number;
  to: number;
  side: 0 | 1;
  depth: number;
  gradient: number;
  hessian: number;
  histogram: LeafHistogram;
  /** Its best split; a gain of 0: none is worth it. */
  gain: number;
  feature: number;
  bin: number;
  next: number;
  missingLeft: boolean;
  leftGradient: number;
  leftHessian: number;
}

/** parent - sibling, into the parent's memory. */
export function subtract(parent: LeafHistogram, sibling: LeafHistogram, from: number, to: number): void {
  for (let i = from; i < to; i++) parent[i]! -= sibling[i]!;
}

/** Numbers per feature in a leaf's histogram. */
export const FEATURE_CELLS = 2 * MAX_BINS;
