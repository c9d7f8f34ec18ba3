import { Random } from '../../random/random';
import { thresholdBetween } from '../float32';
import type { Tree } from '../forest';
import { TreeWriter } from '../tree-writer';
import { BestSplit } from './best-split';
import type { BinnedTable } from './bins';
import { NodeStack } from './node-stack';
import {
  blockPlace,
  blockRows,
  copyRows,
  partition,
  partitionByValue,
  tablePlace,
  type Place,
} from './place';
import { drawRows, listDrawn } from './sample';
import type { ForestSettings } from './settings';
import type { NodeRows, SplitFinder } from './split-finder';

export interface GrownTree {
  tree: Tree;
  /** `[d]` weighted impurity that the splits by each feature took away, as shares that sum to 1 (or all 0). */
  importances: Float64Array;
}

/** Levels that may still come from which a block of its own is worth copying a subtree's rows. */
const WORTH_COPYING = 12;

/** Grows the trees of a forest, one at a time, from the root, depth first. All memory is taken once. */
export class Grower {
  private readonly table: Place;
  private readonly block: Place;
  private readonly blockRows: number;
  private readonly tableStack = new NodeStack();
  private readonly blockStack = new NodeStack();
  private readonly times: Uint8Array;
  private readonly features: Int32Array;
  private readonly importances: Float64Array;
  private readonly best = new BestSplit();
  private readonly writer: TreeWriter;
  private random: Random;

  constructor(
    private readonly binned: BinnedTable,
    private readonly finder: SplitFinder,
    private readonly settings: ForestSettings,
    leafWidth: number,
  ) {
    const withTargets = settings.criterion === 'squared_error';
    this.table = tablePlace(binned, withTargets);
    this.blockRows = Math.min(binned.rows, blockRows(binned.features));
    this.block = blockPlace(this.blockRows, binned.features, withTargets);
    this.times = new Uint8Array(binned.rows);
    this.features = new Int32Array(binned.features);
    this.importances = new Float64Array(binned.features);
    this.writer = new TreeWriter(leafWidth);
    this.random = new Random(settings.seed);
  }

  /** Tree number `tree` of the forest: the same whichever thread grows it, and whatever that one grew before. */
  grow(tree: number): GrownTree {
    this.random = new Random(this.settings.seed, tree);
    drawRows(this.times, this.settings.draws, this.settings.replace, this.random);
    return this.growFrom(this.times);
  }

  /** Grows a tree on row i `times[i]` times; the features are drawn as for the tree of the last call of `grow`. */
  growFrom(times: Uint8Array): GrownTree {
    const { table, finder, writer } = this;
    const rows = table.rows[0];
    const drawn = listDrawn(times, rows);
    finder.begin(times, table);
    this.importances.fill(0);
    this.tableStack.push(0, 0, drawn, 0, 0, -1, 0);
    this.descend(table, this.tableStack);
    const sum = this.importances.reduce((a, b) => a + b, 0);
    return { tree: writer.finish(), importances: this.importances.map((x) => (sum > 0 ? x / sum : 0)) };
  }

  /** Grows all that waits in the stack. */
  private descend(place: Place, stack: NodeStack): void {
    const node: NodeRows = { place, rows: place.rows[0], from: 0, to: 0 };
    while (stack.pop()) {
      node.rows = place.rows[stack.side];
      node.from = stack.from;
      node.to = stack.to;
      const levels = this.settings.maxDepth - stack.depth;
      if (place === this.table && node.to - node.from <= this.blockRows && levels >= WORTH_COPYING) {
        copyRows(place, node.rows, node.from, node.to, this.block);
        this.blockStack.push(stack.node, 0, node.to - node.from, stack.depth, 0, stack.count, stack.sum);
        this.descend(this.block, this.blockStack);
      } else {
        this.visit(node, stack);
      }
    }
  }

  /** Makes the node that came from the stack a leaf, or splits it and puts its sides on the stack. */
  private visit(node: NodeRows, stack: NodeStack): void {
    const { settings, finder, writer, best, binned, importances } = this;
    const { node: number, depth, side } = stack;
    const mixed = finder.enter(node, stack.count, stack.sum);
    if (mixed && depth < settings.maxDepth && node.to - node.from >= settings.minSamplesSplit) {
      this.chooseSplit(node);
    } else {
      best.clear();
    }
    if (best.feature < 0) {
      finder.writeLeaf(writer, number);
      return;
    }
    const { feature, bin, next, missingLeft, leftCount, leftSum, exact } = best;
    const bins = binned.bins[feature]!;
    importances[feature]! += finder.decrease(best);
    const threshold = this.threshold();
    const left = writer.split(number, feature, threshold, missingLeft);
    const rightCount = finder.rightCount(best);
    const rightSum = finder.rightSum(best);
    const leftDone = finder.settle(writer, left, leftCount, leftSum);
    const rightDone = finder.settle(writer, left + 1, rightCount, rightSum);
    if (leftDone && rightDone) return;

    const column = node.place.columns[feature]!;
    const shift = bins.missing && !missingLeft ? 1 : 0;
    const other = side === 0 ? 1 : 0;
    const target = node.place.rows[other];
    const bound = next < 0 ? bins.count : bin + 1;
    const { place, rows, from, to } = node;
    const border = exact
      ? partitionByValue(
          binned,
          place,
          feature,
          bin,
          threshold,
          sideOf(bins.missing, missingLeft),
          rows,
          target,
          from,
          to,
        )
      : partition(column, shift, bound - shift, rows, target, from, to);
    if (!rightDone) stack.push(left + 1, border, node.to, depth + 1, other, rightCount, rightSum);
    if (!leftDone) stack.push(left, node.from, border, depth + 1, other, leftCount, leftSum);
  }

  /** Of the best split: between the values of its two bins; infinite where only missing values go right. */
  private threshold(): number {
    const { feature, bin, next, threshold } = this.best;
    if (next < 0) return Infinity;
    if (!Number.isNaN(threshold)) return threshold;
    const bins = this.binned.bins[feature]!;
    return thresholdBetween(bins.highest[bin]!, bins.lowest[next]!);
  }

  /** Draws features until `maxFeatures` were tried and one of them can split the node, or none is left. */
  private chooseSplit(node: NodeRows): void {
    const { features, settings, finder, best, random } = this;
    best.clear();
    for (let f = 0; f < features.length; f++) features[f] = f;
    let usable = false;
    let tried = 0;
    for (let left = features.length; left > 0 && (tried < settings.maxFeatures || !usable); left--) {
      // A product instead of `below`: its bias is under 2^-17 here, and it takes a fraction of the time.
      const drawn = Math.floor(random.uint32() * (left / 0x1_0000_0000));
      const feature = features[drawn]!;
      features[drawn] = features[left - 1]!;
      if (finder.tryFeature(feature, node, random, best)) usable = true;
      tried++;
    }
    if (best.feature < 0 || best.exact || best.next < 0 || settings.splitter === 'random') return;
    // Where the bins have hardly more than a row each, they tell the values apart already; but not where their middle is,
    // which counts for numbers.
    const shared = settings.criterion === 'squared_error' || 2 * best.present <= node.to - node.from;
    const few = best.present <= settings.refineBins;
    if (shared && few && this.binned.bins[best.feature]!.coarse) finder.refine(node, best);
  }
}

/** Where rows without a value go: -1: there are none; 0: right; 1: left. */
function sideOf(missing: boolean, missingLeft: boolean): -1 | 0 | 1 {
  if (!missing) return -1;
  return missingLeft ? 1 : 0;
}
