import type { FeatureBins } from '../histogram/bins';
import type { BoostSettings } from './settings';

/** Least sum of second derivatives of a side; keeps leaf values finite where all rows are certain. */
const MIN_HESSIAN = 1e-3;
/** Hessian of a bin below which it counts as empty. */
const EMPTY = 1e-12;

/** A leaf to split: how many rows it has, and the sums of their derivatives. */
export interface LeafSums {
  rows: number;
  gradient: number;
  hessian: number;
}

/** The best split of a leaf so far; a gain of 0: none is worth it. */
export interface LeafSplit {
  gain: number;
  feature: number;
  bin: number;
  missingLeft: boolean;
  leftGradient: number;
  leftHessian: number;
}

/**
 * Looks for a split of a leaf by one feature that is better than the best so far: largest gain
 * G_l²/(H_l + λ) + G_r²/(H_r + λ) - G²/(H + λ) (Chen and Guestrin, "XGBoost", 2016).
 * @param cells gradient and hessian of bin b at `base + 2b`
 */
export function findSplit(
  feature: number,
  { count, missing }: FeatureBins,
  cells: Float64Array,
  base: number,
  { rows, gradient, hessian }: LeafSums,
  { l2, minSamplesLeaf }: BoostSettings,
  best: LeafSplit,
): void {
  // Rows per unit of hessian: counts are not kept, see BoostSettings.minSamplesLeaf.
  const least = Math.max(MIN_HESSIAN, (minSamplesLeaf * hessian) / rows - 1e-9);
  const alone = (gradient * gradient) / (hessian + l2);
  const missingGradient = missing ? cells[base]! : 0;
  const missingHessian = missing ? cells[base + 1]! : 0;
  const ways = missing && missingHessian > 0 ? 2 : 1;
  for (let way = 0; way < ways; way++) {
    // Way 0: missing values right (or none are there); way 1: left.
    let g = way === 0 ? 0 : missingGradient;
    let h = way === 0 ? 0 : missingHessian;
    // The last cut leaves only missing values on the right.
    const last = missing && way === 0 && ways === 2 ? count : count - 1;
    for (let b = missing ? 1 : 0; b < last; b++) {
      const cell = base + 2 * b;
      const added = cells[cell + 1]!;
      // What subtraction leaves of an empty bin is not always 0.
      if (added <= EMPTY) continue;
      g += cells[cell]!;
      h += added;
      if (h < least) continue;
      const rest = hessian - h;
      if (rest < least) break;
      const other = gradient - g;
      const gain = (g * g) / (h + l2) + (other * other) / (rest + l2) - alone;
      if (gain <= best.gain) continue;
      best.gain = gain;
      best.feature = feature;
      best.bin = b;
      best.missingLeft = ways === 2 ? way === 1 : 2 * h >= hessian;
      best.leftGradient = g;
      best.leftHessian = h;
    }
  }
}

/** The first bin above `bin` of `count` that has rows, or -1. */
export function nextPresent(cells: Float64Array, base: number, bin: number, count: number): number {
  for (let b = bin + 1; b < count; b++) {
    if (cells[base + 2 * b + 1]! > EMPTY) return b;
  }
  return -1;
}
