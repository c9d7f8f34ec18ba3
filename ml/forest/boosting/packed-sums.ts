import { MAX_BINS } from '../histogram/bins';

/** Rows whose packed derivatives a float64 can sum exactly. */
const CHUNK = 4096;
/** Bits of the sum of the hessians in a packed sum; those of the gradients are above them. */
const SHIFT = 2 ** 26;
const GRADIENT_STEPS = 2 ** 14;
const HESSIAN_STEPS = 2 ** 13;

/**
 * Sums gradients and hessians per bin with one addition per row: both are rounded to 14 and 13 bits and packed into one
 * float64, g · 2^26 + h, whose sums over up to 4096 rows are exact. What rounding changes in a sum is far below the
 * noise of the data (Shi et al., "Quantized training of gradient boosting decision trees", 2022, get by with 3 bits).
 */
export class PackedSums {
  /** Packed derivatives of the rows of the leaf at hand. */
  private readonly packed: Float64Array;
  /** Four histograms, interleaved: runs of equal bins then don't wait for each other's additions. */
  private readonly lanes = new Float64Array(4 * MAX_BINS);
  private gradientStep = 1;
  private hessianStep = 1;

  /** @param rows most rows of a leaf */
  constructor(rows: number) {
    this.packed = new Float64Array(rows);
  }

  /** Makes the rounding follow the largest derivatives of a tree's rows: `[2]`, gradient and hessian. */
  scale([gradient = 0, hessian = 0]: Float64Array): void {
    this.gradientStep = Math.max(1e-300, gradient) / GRADIENT_STEPS;
    this.hessianStep = Math.max(1e-300, hessian) / HESSIAN_STEPS;
  }

  /** Packs the derivatives of the rows `rows[from…to)` of a table. */
  pack(
    rows: Int32Array,
    from: number,
    to: number,
    gradient: Float64Array,
    hessian: Float64Array,
    packedOf: Float64Array,
  ): void {
    const perGradient = 1 / this.gradientStep;
    const perHessian = 1 / this.hessianStep;
    for (let i = from; i < to; i++) {
      const row = rows[i]!;
      packedOf[row] =
        Math.floor(gradient[row]! * perGradient + 0.5) * SHIFT + Math.floor(hessian[row]! * perHessian + 0.5);
    }
  }

  /** Puts the rows `rows[from…to)` in order, for the calls of `add` that follow. */
  gather(packedOf: Float64Array, rows: Int32Array, from: number, to: number): void {
    const { packed } = this;
    for (let i = from; i < to; i++) packed[i - from] = packedOf[rows[i]!]!;
  }

  /** Adds the packed rows to the histogram of one feature: gradient and hessian of bin b at `base + 2b`. */
  add(
    column: Uint8Array,
    rows: Int32Array,
    from: number,
    to: number,
    bins: number,
    histogram: Float64Array,
    base: number,
  ): void {
    const { packed, lanes } = this;
    for (let start = from; start < to; start += CHUNK) {
      const end = Math.min(to, start + CHUNK) | 0;
      accumulate(column, rows, start, end, packed, start - from, lanes);
      for (let b = 0; b < bins; b++) {
        const i = 4 * b;
        const sum = lanes[i]! + lanes[i + 1]! + lanes[i + 2]! + lanes[i + 3]!;
        if (sum === 0) continue;
        lanes[i] = 0;
        lanes[i + 1] = 0;
        lanes[i + 2] = 0;
        lanes[i + 3] = 0;
        const gradients = Math.floor(sum * (1 / SHIFT));
        histogram[base + 2 * b]! += gradients * this.gradientStep;
        histogram[base + 2 * b + 1]! += (sum - gradients * SHIFT) * this.hessianStep;
      }
    }
  }
}

function accumulate(
  column: Uint8Array,
  rows: Int32Array,
  from: number,
  to: number,
  packed: Float64Array,
  first: number,
  lanes: Float64Array,
): void {
  const shift = (first - from) | 0;
  let i = from | 0;
  for (; ((to - i) & 3) !== 0; i = (i + 1) | 0) lanes[4 * column[rows[i]!]!]! += packed[i + shift]!;
  for (; i < to; i = (i + 4) | 0) {
    const a = 4 * column[rows[i]!]!;
    const b = 4 * column[rows[i + 1]!]! + 1;
    const c = 4 * column[rows[i + 2]!]! + 2;
    const d = 4 * column[rows[i + 3]!]! + 3;
    lanes[a]! += packed[i + shift]!;
    lanes[b]! += packed[i + shift + 1]!;
    lanes[c]! += packed[i + shift + 2]!;
    lanes[d]! += packed[i + shift + 3]!;
  }
}
