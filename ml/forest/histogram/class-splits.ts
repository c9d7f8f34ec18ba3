import type { Random } from '../../random/random';
import type { TreeWriter } from '../tree-writer';
import type { BestSplit } from './best-split';
import { MAX_BINS, type BinnedTable } from './bins';
import { ClassImpurity } from './class-impurity';
import type { Place } from './place';
import { drawBetween, drawCut } from './random-cut';
import type { ForestSettings } from './settings';
import type { NodeRows, SplitFinder } from './split-finder';
import { collectBins, ValueOrder } from './value-order';
import { thresholdBetween } from '../float32';

/**
 * Splits of any number of classes, by Gini impurity or entropy. A node's rows are put in the order of their bins and
 * moved from right to left one by one, each in constant time, so that the cost does not grow with the classes.
 * A row's payload is `draws + 256 · class`.
 */
export class ClassSplits implements SplitFinder {
  private readonly impurity: ClassImpurity;
  private readonly weights: Float64Array;
  private readonly ordered: Int32Array;
  private readonly ends = new Int32Array(MAX_BINS + 1);
  private readonly present = new Int32Array(MAX_BINS);
  private readonly order = new ValueOrder();
  private rows = 0;

  constructor(
    private readonly binned: BinnedTable,
    /** `[n]`, 0 … classes-1 */
    private readonly labels: Uint32Array,
    classes: number,
    private readonly settings: ForestSettings,
  ) {
    this.weights = settings.classWeights ?? new Float64Array(classes).fill(1);
    this.impurity = new ClassImpurity(classes, settings.criterion === 'entropy');
    this.ordered = new Int32Array(binned.rows);
  }

  begin(times: Uint8Array, place: Place): void {
    for (let row = 0; row < times.length; row++) place.payload[row] = times[row]! + 256 * this.labels[row]!;
  }

  enter({ place, rows, from, to }: NodeRows): boolean {
    const { impurity, weights } = this;
    impurity.clear();
    for (let i = from; i < to; i++) {
      const payload = place.payload[rows[i]!]!;
      const label = payload >>> 8;
      impurity.count(label, weights[label]! * (payload & 255));
    }
    this.rows = to - from;
    return impurity.begin() > 1;
  }

  tryFeature(feature: number, node: NodeRows, random: Random, best: BestSplit): boolean {
    const bins = this.binned.bins[feature]!;
    this.orderByBin(node.place.columns[feature]!, bins.count, node);
    const first = bins.missing && this.ends[0]! > 0 ? 1 : 0;
    let size = 0;
    for (let bin = bins.missing ? 1 : 0; bin < bins.count; bin++) {
      const start = bin === 0 ? 0 : this.ends[bin - 1]!;
      if (this.ends[bin]! > start) this.present[size++] = bin;
    }
    if (size === 1 && bins.coarse && this.scanBin(feature, this.present[0]!, node, random, best)) return true;
    if (first === 0 && size < 2) return false;
    if (size === 0) return false;
    const cut =
      this.settings.splitter === 'random' && size > 1 ? drawCut(this.present, size, bins, random) : undefined;
    const only = cut === undefined ? -1 : cut.after;
    const threshold = cut === undefined ? NaN : cut.threshold;
    this.walk(feature, size, first === 1, false, only, threshold, best);
    if (first === 1) this.walk(feature, size, true, true, only, threshold, best);
    return true;
  }

  refine(node: NodeRows, best: BestSplit): void {
    const { feature, bin, next } = best;
    const low = collectBins(this.binned, feature, node, bin, next, this.order);
    const middle = thresholdBetween(this.order.largestLow, this.order.leastHigh);
    best.threshold = middle;
    if (!this.order.sort()) return;
    this.orderByBin(node.place.columns[feature]!, this.binned.bins[feature]!.count, node);
    if (!this.walkValues(feature, bin, node, low, undefined, best)) return;
    best.bin = best.threshold < middle ? bin : next;
  }

  decrease(best: BestSplit): number {
    return this.impurity.decrease(best.numerator, best.denominator);
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
    const { impurity } = this;
    const shares = impurity.shares();
    const pure = impurity.onlyClass();
    writer.leaf(leaf, shares, pure < 0 ? undefined : pure);
  }

  /** Counting sort of the node's payloads by bin: those of bin b end before `ends[b]` of `ordered`. */
  private orderByBin(column: Uint8Array, count: number, { place, rows, from, to }: NodeRows): void {
    const { ends, ordered } = this;
    ends.fill(0, 0, count + 1);
    for (let i = from; i < to; i++) ends[column[rows[i]!]! + 1]! += 1;
    for (let bin = 1; bin <= count; bin++) ends[bin]! += ends[bin - 1]!;
    // ends[b] is now where bin b starts; placing its rows moves it to where it ends.
    for (let i = from; i < to; i++) {
      const row = rows[i]!;
      const bin = column[row]!;
      ordered[ends[bin]!] = place.payload[row]!;
      ends[bin]! += 1;
    }
  }

  /** Tries the thresholds with the missing values on one side. */
  private walk(
    feature: number,
    size: number,
    hasMissing: boolean,
    missingLeft: boolean,
    only: number,
    threshold: number,
    best: BestSplit,
  ): void {
    const { impurity, ends, present } = this;
    impurity.allRight();
    let leftRows = 0;
    if (missingLeft) leftRows = this.moveLeft(0, ends[0]!);
    const last = hasMissing && !missingLeft ? size : size - 1;
    for (let j = 0; j < last; j++) {
      const bin = present[j]!;
      leftRows += this.moveLeft(bin === 0 ? 0 : ends[bin - 1]!, ends[bin]!);
      if (only >= 0 && j !== only) continue;
      if (!this.keepIfBetter(feature, leftRows, hasMissing, missingLeft, best)) continue;
      best.bin = bin;
      best.next = j + 1 < size ? present[j + 1]! : -1;
      best.threshold = threshold;
      best.present = size;
      best.exact = false;
    }
  }

  /** Judges a feature that has all its rows of a node in one bin. @returns whether it takes more than one value there */
  private scanBin(feature: number, bin: number, node: NodeRows, random: Random, best: BestSplit): boolean {
    const { order } = this;
    collectBins(this.binned, feature, node, bin, bin, order);
    if (!order.sort()) return false;
    const drawn =
      this.settings.splitter === 'random' ? drawBetween(order.values, order.size, random) : undefined;
    this.walkValues(feature, bin, node, -1, drawn, best);
    return true;
  }

  /**
   * Tries the thresholds between the values that were collected, with the missing values on either side.
   * @param bin the lower of their bins
   * @param border rows below a cut that was judged before
   * @param drawn the only threshold to try
   * @returns whether one is better
   */
  private walkValues(
    feature: number,
    bin: number,
    node: NodeRows,
    border: number,
    drawn: number | undefined,
    best: BestSplit,
  ): boolean {
    const { missing } = this.binned.bins[feature]!;
    const absent = missing ? this.ends[0]! : 0;
    const right = this.walkValuesOnce(feature, bin, node, absent, false, border, drawn, best);
    return (
      (absent > 0 && this.walkValuesOnce(feature, bin, node, absent, true, border, drawn, best)) || right
    );
  }

  /** @param absent rows whose value is missing, the first in the order of bins */
  private walkValuesOnce(
    feature: number,
    bin: number,
    node: NodeRows,
    absent: number,
    missingLeft: boolean,
    border: number,
    drawn: number | undefined,
    best: BestSplit,
  ): boolean {
    const { impurity, order, weights, ends } = this;
    const payloads = node.place.payload;
    impurity.allRight();
    const below = bin === 0 ? 0 : ends[bin - 1]!;
    let leftRows = this.moveLeft(missingLeft ? 0 : absent, Math.max(below, missingLeft ? 0 : absent));
    let better = false;
    for (let i = 0; i < order.size - 1; i++) {
      const payload = payloads[order.rows[i]!]!;
      const label = payload >>> 8;
      impurity.moveLeft(label, weights[label]! * (payload & 255));
      leftRows++;
      const value = order.values[i]!;
      const next = order.values[i + 1]!;
      // A cut between the bins was judged with them.
      if (!(value < next) || i + 1 === border) continue;
      if (drawn !== undefined && !(value <= drawn && drawn < next)) continue;
      if (!this.keepIfBetter(feature, leftRows, absent > 0, missingLeft, best)) continue;
      better = true;
      best.bin = bin;
      best.next = bin;
      best.threshold = drawn ?? thresholdBetween(value, next);
      best.exact = true;
    }
    return better;
  }

  /**
   * Judges the split into what is now left and right.
   * @returns whether it is the best so far; its gain, feature and side of missing values are in `best` then
   */
  private keepIfBetter(
    feature: number,
    leftRows: number,
    hasMissing: boolean,
    missingLeft: boolean,
    best: BestSplit,
  ): boolean {
    const { impurity, rows } = this;
    const { minSamplesLeaf } = this.settings;
    if (leftRows < minSamplesLeaf || rows - leftRows < minSamplesLeaf) return false;
    const { numerator, denominator } = impurity.gain();
    if (numerator * best.denominator <= best.numerator * denominator) return false;
    best.numerator = numerator;
    best.denominator = denominator;
    best.feature = feature;
    best.missingLeft = hasMissing ? missingLeft : impurity.leftIsHeavier();
    return true;
  }

  private moveLeft(from: number, to: number): number {
    const { ordered, impurity, weights } = this;
    for (let i = from; i < to; i++) {
      const payload = ordered[i]!;
      const label = payload >>> 8;
      impurity.moveLeft(label, weights[label]! * (payload & 255));
    }
    return to - from;
  }
}
