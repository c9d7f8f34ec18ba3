import { MAX_BINS } from './bins';

/**
 * One feature within one node: the bins that have rows there, in order, with the two moments by which splits are
 * judged. For two classes: the draws (rows, each as often as it was drawn), and those of class 1. For regression:
 * the draws, and the sum of their targets.
 */
export class BinProfile {
  /** Bins present, that of missing values left out. */
  size = 0;
  readonly bins = new Int32Array(MAX_BINS);
  readonly counts = new Float64Array(MAX_BINS);
  readonly sums = new Float64Array(MAX_BINS);
  /** Distinct rows; only filled where a side of a split needs more than one. */
  readonly rows = new Int32Array(MAX_BINS);
  /** The same for missing values; a count of 0: none is missing in this node. */
  missingCount = 0;
  missingSum = 0;
  missingRows = 0;

  clear(): void {
    this.size = 0;
    this.missingCount = 0;
    this.missingSum = 0;
    this.missingRows = 0;
  }

  /** Takes bin 0, that of missing values, out of the list. */
  takeMissing(): void {
    this.missingCount = this.counts[0]!;
    this.missingSum = this.sums[0]!;
    this.missingRows = this.rows[0]!;
    this.bins.copyWithin(0, 1, this.size);
    this.counts.copyWithin(0, 1, this.size);
    this.sums.copyWithin(0, 1, this.size);
    this.rows.copyWithin(0, 1, this.size);
    this.size--;
  }
}
