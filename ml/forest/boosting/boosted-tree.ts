import { thresholdBetween } from '../float32';
import type { Tree } from '../forest';
import { partition } from '../histogram/place';
import { TreeWriter } from '../tree-writer';
import { nextPresent, type LeafSplit } from './find-split';
import { Leaf, LEAF_NUMBERS, RESULT_NUMBERS, ROWS_PER_UNIT, Phase, type BoostMemory } from './memory';
import type { BoostSettings } from './settings';
import { readSplit, type Share } from './share';
import type { PhaseBoard } from './phase-board';

/** Steps, one per row and feature, from which helping is worth waking up for. */
const WORTH_HELP = 20_000;

/** A leaf of a tree that is still growing; its sums and rows are in `BoostMemory.leaves`. */
interface GrowingLeaf {
  node: number;
  /** Its number there. */
  number: number;
  split: LeafSplit;
}

/**
 * Grows regression trees on gradients, best leaf first (as LightGBM): the histogram of a split's smaller side is
 * counted, that of the larger is what is left of the parent's. The work is dealt out by rows, features or leaves, and
 * put together in their order, so that the trees are the same whoever did it.
 */
export class BoostedTreeGrower {
  private readonly columns: Uint8Array[];
  private readonly writer = new TreeWriter(1);
  private judged = 0;

  /** @param board where helpers take work from, if there are any */
  constructor(
    private readonly memory: BoostMemory,
    private readonly share: Share,
    private readonly settings: BoostSettings,
    private readonly board?: PhaseBoard,
  ) {
    const { codes, rows, bins } = memory;
    this.columns = bins.map((_, f) => codes.subarray(f * rows, (f + 1) * rows));
  }

  /** Grows a tree on the derivatives by one output's scores, and adds its values to the scores. */
  grow(output: number): Tree {
    this.derive(output);
    let leaves = [this.root()];
    while (leaves.length < this.settings.maxLeaves) {
      const best = leaves.reduce((a, b) => (b.split.gain > a.split.gain ? b : a));
      if (!(best.split.gain > 0)) break;
      const sides = this.split(best, leaves.length);
      leaves = leaves.flatMap((leaf) => (leaf === best ? sides : [leaf]));
    }
    this.finish(leaves, output);
    return this.writer.finish(output);
  }

  /** Derives and packs; leaf 0 becomes the root. */
  private derive(output: number): void {
    const { trained, results, order, leaves, largest } = this.memory;
    const units = Math.ceil(trained.length / ROWS_PER_UNIT);
    this.run(units, trained.length * 8, Phase.Derive, output);
    let [g, h, largestGradient, largestHessian] = [0, 0, 0, 0];
    for (let at = 0; at < units * RESULT_NUMBERS; at += RESULT_NUMBERS) {
      g += results[at]!;
      h += results[at + 1]!;
      largestGradient = Math.max(largestGradient, results[at + 2]!);
      largestHessian = Math.max(largestHessian, results[at + 3]!);
    }
    largest.set([largestGradient, largestHessian]);
    this.run(units, trained.length * 4, Phase.Pack);
    order[0].set(trained);
    leaves.set([0, trained.length, 0, 0, g, h]);
  }

  private root(): GrowingLeaf {
    const [split] = this.judge(0, -1);
    return { node: 0, number: 0, split };
  }

  /** Splits a leaf; `count` is how many there are, and so the number of the new one. */
  private split(leaf: GrowingLeaf, count: number): [GrowingLeaf, GrowingLeaf] {
    const { bins, histograms, offsets, order, leaves, features } = this.memory;
    const { feature, bin, missingLeft, leftGradient, leftHessian } = leaf.split;
    const { count: binCount, missing, highest, lowest } = bins[feature]!;
    const base = leaf.number * offsets[features]! + offsets[feature]!;
    const next = nextPresent(histograms, base, bin, binCount);
    const threshold = next < 0 ? Infinity : thresholdBetween(highest[bin]!, lowest[next]!);
    const node = this.writer.split(leaf.node, feature, threshold, missingLeft);

    const at = leaf.number * LEAF_NUMBERS;
    const from = leaves[at + Leaf.From]!;
    const to = leaves[at + Leaf.To]!;
    const side = leaves[at + Leaf.Side] === 0 ? 0 : 1;
    const depth = leaves[at + Leaf.Depth]! + 1;
    const gradient = leaves[at + Leaf.Gradient]!;
    const hessian = leaves[at + Leaf.Hessian]!;
    const other = side === 0 ? 1 : 0;
    const shift = missing && !missingLeft ? 1 : 0;
    const bound = bin + 1 - shift;
    const border = partition(this.columns[feature]!, shift, bound, order[side], order[other], from, to);

    // The larger side takes the parent's number, and with it its histogram.
    const leftIsSmaller = border - from < to - border;
    const left = leftIsSmaller ? count : leaf.number;
    const right = leftIsSmaller ? leaf.number : count;
    leaves.set([from, border, other, depth, leftGradient, leftHessian], left * LEAF_NUMBERS);
    leaves.set(
      [border, to, other, depth, gradient - leftGradient, hessian - leftHessian],
      right * LEAF_NUMBERS,
    );
    const [smaller, larger] = this.judge(count, leaf.number);
    return [
      { node, number: left, split: leftIsSmaller ? smaller : larger },
      { node: node + 1, number: right, split: leftIsSmaller ? larger : smaller },
    ];
  }

  /** Counts a leaf and takes it from its sibling, which has the parent's histogram (-1: none). @returns both's splits */
  private judge(counted: number, sibling: number): [LeafSplit, LeafSplit] {
    const { features, featuresPerUnit, results, leaves } = this.memory;
    const units = Math.ceil(features / featuresPerUnit);
    const at = counted * LEAF_NUMBERS;
    const rows = leaves[at + Leaf.To]! - leaves[at + Leaf.From]!;
    this.run(units, rows * features, Phase.Judge, counted, sibling, this.judged++);
    const best = (offset: number): LeafSplit => {
      let found = 0;
      for (let unit = 1; unit < units; unit++) {
        if (results[unit * RESULT_NUMBERS + offset]! > results[found * RESULT_NUMBERS + offset]!)
          found = unit;
      }
      return readSplit(results, found * RESULT_NUMBERS + offset);
    };
    return [best(0), best(RESULT_NUMBERS / 2)];
  }

  private finish(leaves: readonly GrowingLeaf[], output: number): void {
    const { results, trained } = this.memory;
    this.run(leaves.length, trained.length * 4, Phase.Finish, output);
    for (const { node, number } of leaves) this.writer.leaf(node, [results[number * RESULT_NUMBERS]!]);
  }

  /** Has the units of a phase done, alone if it is little work. */
  private run(units: number, steps: number, kind: Phase, ...phase: number[]): void {
    const { board, share, memory } = this;
    memory.phase.set([kind, ...phase]);
    if (board !== undefined && units > 1 && steps >= WORTH_HELP) {
      board.run(units, share.work);
      return;
    }
    for (let unit = 0; unit < units; unit++) share.work(unit);
  }
}
