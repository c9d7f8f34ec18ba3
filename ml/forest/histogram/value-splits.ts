import type { Random } from '../../random/random';
import type { TreeWriter } from '../tree-writer';
import type { BestSplit } from './best-split';
import { BinProfile } from './bin-profile';
import { ExactScan } from './exact-scan';
import type { BinnedTable } from './bins';
import type { Place } from './place';
import { drawCut } from './random-cut';
import { NodeMoments, scanThresholds, type MomentWeights } from './scan';
import type { ForestSettings } from './settings';
import type { NodeRows, SplitFinder } from './split-finder';
import { ValueProfiler } from './value-profile';

const EVEN: MomentWeights = { perCount: 1, perSum: 0, sumScale: 1 };

/** Splits of a regression by squared error. The moments of a node are its draws, and the sum of their targets. */
export class ValueSplits implements SplitFinder {
  private readonly profiler = new ValueProfiler();
  private readonly profile = new BinProfile();
  private readonly exact: ExactScan;
  private readonly node = new NodeMoments();
  /** Sums and leaves are of differences from it, so that large targets keep their last digits. */
  private readonly centre: number;

  constructor(
    private readonly binned: BinnedTable,
    /** `[n]` */
    private readonly targets: Float32Array,
    private readonly settings: ForestSettings,
  ) {
    this.exact = new ExactScan(binned, settings.minSamplesLeaf);
    this.centre = centreOf(targets);
  }

  begin(times: Uint8Array, place: Place): void {
    for (let row = 0; row < times.length; row++) {
      place.payload[row] = times[row]!;
      place.targets[row] = times[row]! * (this.targets[row]! - this.centre);
    }
  }

  /** The moments are summed anew: differences of sums would lose digits with each level. */
  enter({ place, rows, from, to }: NodeRows): boolean {
    const { node } = this;
    const { payload, targets } = place;
    let count = 0;
    let sum = 0;
    let least = Infinity;
    let most = -Infinity;
    for (let i = from; i < to; i++) {
      const row = rows[i]!;
      const draws = payload[row]!;
      const target = targets[row]!;
      count += draws;
      sum += target;
      const one = target / draws;
      if (one < least) least = one;
      if (one > most) most = one;
    }
    node.rows = to - from;
    node.count = count;
    node.sum = sum;
    return least < most;
  }

  tryFeature(feature: number, rows: NodeRows, random: Random, best: BestSplit): boolean {
    const { profile, settings, node } = this;
    const bins = this.binned.bins[feature]!;
    this.profiler.profile(feature, rows, bins, profile);
    if (bins.coarse && profile.size === 1) {
      const [bin = 0] = profile.bins;
      const draw = settings.splitter === 'random' ? random : undefined;
      const varied = this.exact.scanBin(feature, bin, rows, this.node, EVEN, draw, best);
      if (varied) return true;
    }
    const cut =
      settings.splitter === 'random' && profile.size > 1
        ? drawCut(profile.bins, profile.size, bins, random)
        : undefined;
    return scanThresholds(profile, feature, node, EVEN, settings.minSamplesLeaf, cut, best);
  }

  refine(node: NodeRows, best: BestSplit): void {
    this.exact.refine(node, this.node, EVEN, best);
  }

  decrease(best: BestSplit): number {
    return best.numerator / (best.denominator * this.node.count);
  }

  rightCount(): number {
    return -1;
  }

  rightSum(): number {
    return 0;
  }

  settle(): boolean {
    return false;
  }

  writeLeaf(writer: TreeWriter, leaf: number): void {
    writer.leaf(leaf, [this.node.sum / this.node.count]);
  }
}

/** Mean of the targets of a table, as float32: a forest adds it to the differences that its leaves hold. */
export function centreOf(targets: Float32Array): number {
  return Math.fround(targets.reduce((sum, target) => sum + target, 0) / Math.max(1, targets.length));
}
