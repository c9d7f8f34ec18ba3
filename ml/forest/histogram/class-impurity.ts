/**
 * Class weights of a node and of the two sides of a split of it, and what the split gains, kept up to date as rows
 * move from the right side to the left.
 */
export class ClassImpurity {
  private readonly total: Float64Array;
  private readonly left: Float64Array;
  private readonly right: Float64Array;
  private weight = 0;
  private leftWeight = 0;
  /** Gini: sums of squares of the class weights of each side; entropy: sums of x·ln x. */
  private leftSum = 0;
  private rightSum = 0;
  private totalSum = 0;
  private readonly fraction = { numerator: 0, denominator: 1 };

  constructor(
    classes: number,
    private readonly entropy: boolean,
  ) {
    this.total = new Float64Array(classes);
    this.left = new Float64Array(classes);
    this.right = new Float64Array(classes);
  }

  /** Starts a node. */
  clear(): void {
    this.total.fill(0);
    this.weight = 0;
  }

  /** Adds rows of a class to the node. */
  count(label: number, weight: number): void {
    this.total[label]! += weight;
    this.weight += weight;
  }

  /** The node is complete. @returns how many classes it has */
  begin(): number {
    const { total } = this;
    let present = 0;
    let sum = 0;
    for (let k = 0; k < total.length; k++) {
      if (total[k] === 0) continue;
      present++;
      sum += this.entropy ? xLogX(total[k]!) : total[k]! * total[k]!;
    }
    this.totalSum = sum;
    return present;
  }

  /** Starts a feature: all rows are on the right. */
  allRight(): void {
    this.left.fill(0);
    this.right.set(this.total);
    this.leftWeight = 0;
    this.leftSum = 0;
    this.rightSum = this.totalSum;
  }

  moveLeft(label: number, weight: number): void {
    const l = this.left[label]!;
    const r = this.right[label]!;
    if (this.entropy) {
      this.leftSum += xLogX(l + weight) - xLogX(l);
      this.rightSum += xLogX(r - weight) - xLogX(r);
    } else {
      this.leftSum += weight * (l + l + weight);
      this.rightSum += weight * (weight - r - r);
    }
    this.left[label] = l + weight;
    this.right[label] = r - weight;
    this.leftWeight += weight;
  }

  /**
   * Gain of the split into what is now left and right, up to a constant of the node, as a fraction.
   * Gini: Σ l²/L + Σ r²/R. Entropy: the decrease itself.
   */
  gain(): Readonly<{ numerator: number; denominator: number }> {
    const l = this.leftWeight;
    const r = this.weight - l;
    const { fraction } = this;
    if (this.entropy) {
      const decrease =
        xLogX(this.weight) - this.totalSum - xLogX(l) + this.leftSum - xLogX(r) + this.rightSum;
      fraction.numerator = Math.max(0, decrease);
      fraction.denominator = 1;
    } else {
      fraction.numerator = this.leftSum * r + this.rightSum * l;
      fraction.denominator = l * r;
    }
    return fraction;
  }

  leftIsHeavier(): boolean {
    return 2 * this.leftWeight >= this.weight;
  }

  /** Weighted impurity that a split of this gain takes away. */
  decrease(numerator: number, denominator: number): number {
    return this.entropy ? numerator : numerator / denominator - this.totalSum / this.weight;
  }

  /** `[classes]` shares of the node. */
  shares(): Float64Array {
    return this.total.map((weight) => weight / this.weight);
  }

  /** The class of all rows of the node, or -1. */
  onlyClass(): number {
    return this.total.findIndex((weight) => weight === this.weight);
  }
}

/** Weights are whole numbers but for class weights, and most nodes have few rows: their logarithms are kept. */
const WHOLE = 2 ** 16;

/** `[WHOLE]` x·ln x; made when the first is asked for. */
let ofWhole: Float64Array | undefined;

function xLogX(x: number): number {
  const whole = x | 0;
  if (whole === x && whole >= 0 && whole < WHOLE) {
    ofWhole ??= Float64Array.from({ length: WHOLE }, (_, i) => (i > 0 ? i * Math.log(i) : 0));
    return ofWhole[whole]!;
  }
  return x > 0 ? x * Math.log(x) : 0;
}
