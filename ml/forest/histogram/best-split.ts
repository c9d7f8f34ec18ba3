/**
 * The best split of a node found so far. Gains are kept as fractions `numerator / denominator`, so that they are
 * compared by multiplication: a division per candidate costs more than all the rest of a scan.
 */
export class BestSplit {
  /** -1: none yet. */
  feature = -1;
  /** Rows of this bin and those below go left; missing values as `missingLeft` says. */
  bin = 0;
  /** First bin above `bin` that has rows in the node, or -1: only missing values go right. */
  next = -1;
  /** Bins of the feature that have rows in the node. */
  present = 0;
  missingLeft = false;
  /** A threshold that was drawn, or lies between two values of the node; NaN: the middle between the two bins. */
  threshold = NaN;
  /** The border is the threshold, within `bin`, and not above it. */
  exact = false;
  numerator = -1;
  denominator = 1;
  /** Moments of the left side, in the units of the `BinProfile`. */
  leftCount = 0;
  leftSum = 0;

  clear(): void {
    this.feature = -1;
    this.numerator = -1;
    this.denominator = 1;
    this.threshold = NaN;
    this.exact = false;
  }
}
