import { thresholdBetween } from '../float32';
import type { Tree } from '../forest';
import type { BinnedTable } from '../histogram/bins';
import { partition } from '../histogram/place';
import { TreeWriter } from '../tree-writer';
import { findSplit, nextPresent } from './find-split';
import { FEATURE_CELLS, subtract, type GrowingLeaf, type LeafHistogram } from './leaf';
import { PackedSums } from './packed-sums';
import type { BoostSettings } from './settings';

/**
 * Grows regression trees on gradients, best leaf first (as LightGBM): the histogram of a split's smaller side is
 * counted, that of the larger is what is left of the parent's.
 */
export class BoostedTreeGrower {
  private readonly columns: Uint8Array[];
  private readonly rows: [Int32Array, Int32Array];
  private readonly sums: PackedSums;
  private readonly writer = new TreeWriter(1);
  private readonly spare: LeafHistogram[] = [];
  private readonly cells: number;

  constructor(
    private readonly binned: BinnedTable,
    private readonly settings: BoostSettings,
  ) {
    const n = binned.rows;
    this.columns = binned.bins.map((_, f) => binned.codes.subarray(f * n, (f + 1) * n));
    this.rows = [new Int32Array(n), new Int32Array(n)];
    this.sums = new PackedSums(n);
    this.cells = binned.features * FEATURE_CELLS;
  }

  /**
   * Grows a tree for the given rows and adds its values to their scores.
   * @param gradient `[n]`, and `hessian`, `scores` likewise
   */
  grow(
    rows: Int32Array,
    gradient: Float64Array,
    hessian: Float64Array,
    scores: Float64Array,
    output: number,
  ): Tree {
    this.rows[0].set(rows);
    let leaves = [this.root(rows.length, gradient, hessian)];
    while (leaves.length < this.settings.maxLeaves) {
      const best = leaves.reduce((a, b) => (b.gain > a.gain ? b : a));
      if (!(best.gain > 0)) break;
      const sides = this.split(best);
      leaves = leaves.flatMap((leaf) => (leaf === best ? sides : [leaf]));
    }
    for (const leaf of leaves) this.finish(leaf, gradient, hessian, scores);
    return this.writer.finish(output);
  }

  private root(size: number, gradient: Float64Array, hessian: Float64Array): GrowingLeaf {
    const leaf = this.leaf(0, 0, size, 0, 0);
    const rows = this.rows[0];
    for (let i = 0; i < size; i++) {
      leaf.gradient += gradient[rows[i]!]!;
      leaf.hessian += hessian[rows[i]!]!;
    }
    this.sums.begin(rows, size, gradient, hessian);
    this.count(leaf);
    this.judge(leaf);
    return leaf;
  }

  private split(leaf: GrowingLeaf): [GrowingLeaf, GrowingLeaf] {
    const { feature, bin, missingLeft, depth } = leaf;
    const bins = this.binned.bins[feature]!;
    const next = nextPresent(leaf, bins.count);
    const threshold = next < 0 ? Infinity : thresholdBetween(bins.highest[bin]!, bins.lowest[next]!);
    const node = this.writer.split(leaf.node, feature, threshold, missingLeft);
    const shift = bins.missing && !missingLeft ? 1 : 0;
    const other = leaf.side === 0 ? 1 : 0;
    const border = partition(
      this.columns[feature]!,
      shift,
      bin + 1 - shift,
      this.rows[leaf.side],
      this.rows[other],
      leaf.from,
      leaf.to,
    );
    const left = this.leaf(node, leaf.from, border, other, depth + 1);
    const right = this.leaf(node + 1, border, leaf.to, other, depth + 1);
    left.gradient = leaf.leftGradient;
    left.hessian = leaf.leftHessian;
    right.gradient = leaf.gradient - leaf.leftGradient;
    right.hessian = leaf.hessian - leaf.leftHessian;
    const [smaller, larger] = left.to - left.from < right.to - right.from ? [left, right] : [right, left];
    this.count(smaller);
    this.spare.push(larger.histogram);
    larger.histogram = leaf.histogram;
    subtract(larger.histogram, smaller.histogram, 0, this.cells);
    this.judge(left);
    this.judge(right);
    return [left, right];
  }

  private leaf(node: number, from: number, to: number, side: 0 | 1, depth: number): GrowingLeaf {
    return {
      node,
      from,
      to,
      side,
      depth,
      gradient: 0,
      hessian: 0,
      histogram: this.spare.pop() ?? new Float64Array(this.cells),
      gain: 0,
      feature: -1,
      bin: 0,
      next: -1,
      missingLeft: false,
      leftGradient: 0,
      leftHessian: 0,
    };
  }

  private count({ from, to, side, histogram }: GrowingLeaf): void {
    const { sums, columns, binned } = this;
    const rows = this.rows[side];
    sums.gather(rows, from, to);
    histogram.fill(0);
    for (let f = 0; f < columns.length; f++) {
      sums.add(columns[f]!, rows, from, to, binned.bins[f]!.count, histogram, f * FEATURE_CELLS);
    }
  }

  private judge(leaf: GrowingLeaf): void {
    const { settings, binned } = this;
    if (leaf.depth >= settings.maxDepth || leaf.to - leaf.from < 2 * settings.minSamplesLeaf) return;
    findSplit(leaf, binned.bins, 0, binned.features, settings);
  }

  /** Writes a leaf and adds its value, as float32 as the model has it, to the scores of its rows. */
  private finish(
    leaf: GrowingLeaf,
    gradient: Float64Array,
    hessian: Float64Array,
    scores: Float64Array,
  ): void {
    const { learningRate, l2 } = this.settings;
    const rows = this.rows[leaf.side];
    // Summed anew: the histograms' sums are rounded.
    let g = 0;
    let h = 0;
    for (let i = leaf.from; i < leaf.to; i++) {
      g += gradient[rows[i]!]!;
      h += hessian[rows[i]!]!;
    }
    const value = h + l2 > 0 ? Math.fround((-learningRate * g) / (h + l2)) : 0;
    this.writer.leaf(leaf.node, [value]);
    for (let i = leaf.from; i < leaf.to; i++) scores[rows[i]!]! += value;
    this.spare.push(leaf.histogram);
  }
}
