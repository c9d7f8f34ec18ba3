import type { FeatureBins } from '../histogram/bins';
import { FEATURE_CELLS, type GrowingLeaf } from './leaf';
import type { BoostSettings } from './settings';

/** Least sum of second derivatives of a side; keeps leaf values finite where all rows are certain. */
const MIN_HESSIAN = 1e-3;
/** Hessian of a bin below which it counts as empty. */
const EMPTY = 1e-12;

/**
 * Finds the best split of a leaf by features `first` to `end`, better than the one it has: largest gain
 * G_l²/(H_l + λ) + G_r²/(H_r + λ) - G²/(H + λ) (Chen and Guestrin, "XGBoost", 2016).
 */
export function findSplit(
  leaf: GrowingLeaf,
  bins: readonly FeatureBins[],
  first: number,
  end: number,
  settings: BoostSettings,
): void {
  const { histogram, gradient, hessian } = leaf;
  const { l2 } = settings;
  // Rows per unit of hessian: counts are not kept, see BoostSettings.minSamplesLeaf.
  const least = Math.max(MIN_HESSIAN, (settings.minSamplesLeaf * hessian) / (leaf.to - leaf.from) - 1e-9);
  const alone = (gradient * gradient) / (hessian + l2);
  for (let f = first; f < end; f++) {
    const { count, missing } = bins[f]!;
    const base = f * FEATURE_CELLS;
    const missingGradient = missing ? histogram[base]! : 0;
    const missingHessian = missing ? histogram[base + 1]! : 0;
    const ways = missing && missingHessian > 0 ? 2 : 1;
    for (let way = 0; way < ways; way++) {
      // Way 0: missing values right (or none are there); way 1: left.
      let g = way === 0 ? 0 : missingGradient;
      let h = way === 0 ? 0 : missingHessian;
      // The last cut leaves only missing values on the right.
      const last = missing && way === 0 && ways === 2 ? count : count - 1;
      for (let b = missing ? 1 : 0; b < last; b++) {
        const cell = base + 2 * b;
        const added = histogram[cell + 1]!;
        // What subtraction leaves of an empty bin is not always 0.
        if (added <= EMPTY) continue;
        g += histogram[cell]!;
        h += added;
        if (h < least) continue;
        const rest = hessian - h;
        if (rest < least) break;
        const other = gradient - g;
        const gain = (g * g) / (h + l2) + (other * other) / (rest + l2) - alone;
        if (gain <= leaf.gain) continue;
        leaf.gain = gain;
        leaf.feature = f;
        leaf.bin = b;
        leaf.missingLeft = ways === 2 ? way === 1 : 2 * h >= hessian;
        leaf.leftGradient = g;
        leaf.leftHessian = h;
      }
    }
  }
}

/** The first bin above `bin` that has rows in the leaf, or -1. */
export function nextPresent(leaf: GrowingLeaf, count: number): number {
  for (let b = leaf.bin + 1; b < count; b++) {
    if (leaf.histogram[leaf.feature * FEATURE_CELLS + 2 * b + 1]! > EMPTY) return b;
  }
  return -1;
}
