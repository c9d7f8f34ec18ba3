import type { Random } from '../../random/random';
import { thresholdBetween } from '../float32';
import type { BestSplit } from './best-split';
import type { BinnedTable } from './bins';
import { drawBetween } from './random-cut';
import type { MomentWeights, NodeMoments } from './scan';
import type { NodeRows } from './split-finder';
import { collectBins, rowsBelow, ValueOrder } from './value-order';

/** Moments of the rows that are on the left of all that a walk goes through. */
interface Start {
  count: number;
  sum: number;
  rows: number;
}

/**
 * Judges thresholds between the values within one or two bins of a node, where the bins themselves are too coarse: for
 * two classes and for regressions, whose splits are judged by moments.
 */
export class ExactScan {
  private readonly order = new ValueOrder();
  private readonly start: Start = { count: 0, sum: 0, rows: 0 };

  constructor(
    private readonly binned: BinnedTable,
    private readonly minRows: number,
  ) {}

  /** Looks for a better threshold within the bins on both sides of the best split; else takes the middle of their values. */
  refine(node: NodeRows, moments: NodeMoments, weights: MomentWeights, best: BestSplit): void {
    const { order, start } = this;
    const { feature, bin, next, missingLeft } = best;
    const low = collectBins(this.binned, feature, node, bin, next, order);
    const middle = thresholdBetween(order.largestLow, order.leastHigh);
    best.threshold = middle;
    if (!order.sort()) return;
    start.count = best.leftCount;
    start.sum = best.leftSum;
    for (let i = 0; i < low; i++) {
      start.count -= countOf(node, order.rows[i]!);
      start.sum -= sumOf(node, order.rows[i]!);
    }
    start.rows = this.minRows > 1 ? rowsBelow(this.binned, feature, node, bin, missingLeft) : 0;
    if (!this.walk(feature, node, moments, weights, low, undefined, best)) return;
    best.missingLeft = missingLeft;
    best.bin = best.threshold < middle ? bin : next;
  }

  /**
   * Judges a feature that has all its rows of a node in one bin.
   * @param random of extra-trees: draws the only threshold that is tried
   * @returns whether the feature takes more than one value there
   */
  scanBin(
    feature: number,
    bin: number,
    node: NodeRows,
    moments: NodeMoments,
    weights: MomentWeights,
    random: Random | undefined,
    best: BestSplit,
  ): boolean {
    const { order, start } = this;
    collectBins(this.binned, feature, node, bin, bin, order);
    if (!order.sort()) return false;
    const drawn = random === undefined ? undefined : drawBetween(order.values, order.size, random);
    let [count, sum] = [moments.count, moments.sum];
    for (let i = 0; i < order.size; i++) {
      count -= countOf(node, order.rows[i]!);
      sum -= sumOf(node, order.rows[i]!);
    }
    // What is left are the rows without a value: right first, then left.
    const absent = node.to - node.from - order.size;
    for (let way = 0; way <= Math.min(1, absent); way++) {
      start.count = way * count;
      start.sum = way * sum;
      start.rows = way * absent;
      if (!this.walk(feature, node, moments, weights, -1, drawn, best)) continue;
      best.bin = bin;
      if (absent > 0) best.missingLeft = way === 1;
    }
    return true;
  }

  /**
   * Tries the thresholds between the values that were collected.
   * @param border rows below a cut that was judged before
   * @param drawn the only threshold to try
   * @returns whether one is better; it is in `best` then
   */
  private walk(
    feature: number,
    node: NodeRows,
    moments: NodeMoments,
    { perCount, perSum, sumScale }: MomentWeights,
    border: number,
    drawn: number | undefined,
    best: BestSplit,
  ): boolean {
    const { minRows, start } = this;
    const { values, rows, size } = this.order;
    const weight = perCount * moments.count + perSum * moments.sum;
    const total = sumScale * moments.sum;
    let { count, sum } = start;
    let { numerator, denominator } = best;
    let at = -1;
    let leftCount = 0;
    let leftSum = 0;
    for (let i = 0; i < size - 1; i++) {
      const row = rows[i]!;
      count += countOf(node, row);
      sum += sumOf(node, row);
      if (values[i] === values[i + 1] || i + 1 === border) continue;
      if (drawn !== undefined && !(values[i]! <= drawn && drawn < values[i + 1]!)) continue;
      const left = start.rows + i + 1;
      if (minRows > 1 && (left < minRows || moments.rows - left < minRows)) continue;
      const l = perCount * count + perSum * sum;
      const apart = sumScale * sum * weight - total * l;
      const num = apart * apart;
      const den = l * (weight - l);
      if (num * denominator > numerator * den) {
        numerator = num;
        denominator = den;
        at = i;
        leftCount = count;
        leftSum = sum;
      }
    }
    if (at < 0) return false;
    best.feature = feature;
    best.next = 0;
    best.missingLeft = 2 * (perCount * leftCount + perSum * leftSum) >= weight;
    best.threshold = drawn ?? thresholdBetween(values[at]!, values[at + 1]!);
    best.exact = true;
    best.numerator = numerator;
    best.denominator = denominator;
    best.leftCount = leftCount;
    best.leftSum = leftSum;
    return true;
  }
}

/** Moments of one row, as the finders keep them: of a regression, its draws and its target; of two classes, in bits. */
function countOf({ place }: NodeRows, row: number): number {
  return place.targets.length > 0 ? place.payload[row]! : place.payload[row]! & 0xffff;
}

function sumOf({ place }: NodeRows, row: number): number {
  return place.targets.length > 0 ? place.targets[row]! : place.payload[row]! >>> 16;
}
