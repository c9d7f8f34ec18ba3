import type { Random } from '../../random/random';
import type { TreeWriter } from '../tree-writer';
import type { BestSplit } from './best-split';
import { BinProfile } from './bin-profile';
import { ExactScan } from './exact-scan';
import { BinaryProfiler, chunkFor } from './binary-profile';
import type { BinnedTable } from './bins';
import type { Place } from './place';
import { drawCut } from './random-cut';
import { NodeMoments, scanThresholds, type MomentWeights } from './scan';
import type { ForestSettings } from './settings';
import type { NodeRows, SplitFinder } from './split-finder';

const ALL_ZERO = [1, 0];
const ALL_ONE = [0, 1];

/** Splits of two classes by Gini impurity: the quick way. The moments of a node are its draws, and those of class 1. */
export class BinarySplits implements SplitFinder {
  private readonly profiler = new BinaryProfiler();
  private readonly profile = new BinProfile();
  private readonly exact: ExactScan;
  private readonly node = new NodeMoments();
  private readonly weights: MomentWeights;
  private readonly withRows: boolean;
  private chunk = 1;

  constructor(
    private readonly binned: BinnedTable,
    /** `[n]`, 0 or 1 */
    private readonly labels: Uint32Array,
    private readonly settings: ForestSettings,
  ) {
    const [zero = 1, one = 1] = settings.classWeights ?? [];
    this.weights = { perCount: zero, perSum: one - zero, sumScale: one };
    this.withRows = settings.minSamplesLeaf > 1;
    this.exact = new ExactScan(binned, settings.minSamplesLeaf);
  }

  begin(times: Uint8Array, place: Place): void {
    let most = 0;
    for (let row = 0; row < times.length; row++) {
      const draws = times[row]!;
      if (draws > most) most = draws;
      place.payload[row] = draws + (draws << 16) * this.labels[row]!;
    }
    this.chunk = chunkFor(most);
  }

  enter({ place, rows, from, to }: NodeRows, count: number, sum: number): boolean {
    const { node } = this;
    node.rows = to - from;
    node.count = count;
    node.sum = sum;
    if (count < 0) {
      node.count = 0;
      for (let i = from; i < to; i++) {
        const moments = place.payload[rows[i]!]!;
        node.count += moments & 0xffff;
        node.sum += moments >>> 16;
      }
    }
    return node.sum > 0 && node.sum < node.count;
  }

  tryFeature(feature: number, { place, rows, from, to }: NodeRows, random: Random, best: BestSplit): boolean {
    const { profile, settings, withRows } = this;
    const bins = this.binned.bins[feature]!;
    const column = place.columns[feature]!;
    this.profiler.profile(column, bins, place.payload, rows, from, to, this.chunk, withRows, profile);
    if (bins.coarse && profile.size === 1) {
      const [bin = 0] = profile.bins;
      const draw = settings.splitter === 'random' ? random : undefined;
      const varied = this.exact.scanBin(
        feature,
        bin,
        { place, rows, from, to },
        this.node,
        this.weights,
        draw,
        best,
      );
      if (varied) return true;
    }
    const cut =
      settings.splitter === 'random' && profile.size > 1
        ? drawCut(profile.bins, profile.size, bins, random)
        : undefined;
    return scanThresholds(profile, feature, this.node, this.weights, settings.minSamplesLeaf, cut, best);
  }

  refine(node: NodeRows, best: BestSplit): void {
    this.exact.refine(node, this.node, this.weights, best);
  }

  decrease(best: BestSplit): number {
    return (2 * best.numerator) / (best.denominator * this.weight());
  }

  rightCount(best: BestSplit): number {
    return this.node.count - best.leftCount;
  }

  rightSum(best: BestSplit): number {
    return this.node.sum - best.leftSum;
  }

  settle(writer: TreeWriter, leaf: number, count: number, sum: number): boolean {
    if (sum === 0) writer.leaf(leaf, ALL_ZERO, 0);
    else if (sum === count) writer.leaf(leaf, ALL_ONE, 1);
    else return false;
    return true;
  }

  writeLeaf(writer: TreeWriter, leaf: number): void {
    const share = (this.weights.sumScale * this.node.sum) / this.weight();
    writer.leaf(leaf, [1 - share, share], share);
  }

  private weight(): number {
    return this.weights.perCount * this.node.count + this.weights.perSum * this.node.sum;
  }
}
