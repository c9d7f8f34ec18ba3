import type { Random } from '../../random/random';
import type { TreeWriter } from '../tree-writer';
import type { BestSplit } from './best-split';
import type { Place } from './place';

/** The rows of one node: numbers `rows[from…to)` of a place. */
export interface NodeRows {
  place: Place;
  rows: Int32Array;
  from: number;
  to: number;
}

/** Judges splits, one node after the other, of one tree after the other. One implementation per kind of target. */
export interface SplitFinder {
  /** Fills `place.payload` (and `targets`) of the whole table for a tree that drew row i `times[i]` times. */
  begin(times: Uint8Array, place: Place): void;
  /**
   * Takes a node up. `count` and `sum` are its moments if its parent's split told them, else count is -1.
   * @returns false when its rows agree, so that it is a leaf
   */
  enter(node: NodeRows, count: number, sum: number): boolean;
  /**
   * Judges the splits of the node by one feature, and keeps the best in `best`.
   * @returns whether the feature takes more than one value in the node
   */
  tryFeature(feature: number, node: NodeRows, random: Random, best: BestSplit): boolean;
  /** Looks for a better threshold around the best split, between the values of a feature whose bins are coarse. */
  refine(node: NodeRows, best: BestSplit): void;
  /** Weighted impurity that a split takes away: weight × impurity of the node, less that of its two sides. */
  decrease(best: BestSplit): number;
  /** Moments of the right side of a split of the node: its own less the left side's. A count of -1: not known. */
  rightCount(best: BestSplit): number;
  rightSum(best: BestSplit): number;
  /** Writes `leaf` if these moments alone show that its rows agree. @returns whether they do */
  settle(writer: TreeWriter, leaf: number, count: number, sum: number): boolean;
  /** Writes the node that was taken up last as a leaf. */
  writeLeaf(writer: TreeWriter, leaf: number): void;
}
