import { findSplit, type LeafSplit, type LeafSums } from './find-split';
import type { Loss } from './loss';
import { Leaf, LEAF_NUMBERS, RESULT_NUMBERS, ROWS_PER_UNIT, Phase, type BoostMemory } from './memory';
import { PackedSums } from './packed-sums';
import type { BoostSettings } from './settings';

/** Does units of the phases that a boosting consists of: the same in every thread, and for any number of them. */
export class Share {
  private readonly sums: PackedSums;
  private readonly columns: Uint8Array[];
  private readonly best: LeafSplit = { ...NO_SPLIT };
  private readonly leaf: LeafSums = { rows: 0, gradient: 0, hessian: 0 };
  /** Number of the `Judge` phase whose rows were gathered. */
  private gathered = -1;

  constructor(
    private readonly memory: BoostMemory,
    private readonly loss: Loss,
    private readonly settings: BoostSettings,
  ) {
    const { rows, bins, codes, trained } = memory;
    this.sums = new PackedSums(trained.length);
    this.columns = bins.map((_, f) => codes.subarray(f * rows, (f + 1) * rows));
  }

  /** Does one unit of the phase that `memory.phase` describes. */
  readonly work = (unit: number): void => {
    const [kind, a = 0, b = 0, c = 0] = this.memory.phase;
    if (kind === Phase.Derive) this.derive(unit, a);
    else if (kind === Phase.Pack) this.pack(unit);
    else if (kind === Phase.Judge) this.judge(unit, a, b, c);
    else this.finish(unit, a);
  };

  private derive(unit: number, output: number): void {
    const { scores, before, trained, gradient, hessian, results } = this.memory;
    const from = unit * ROWS_PER_UNIT;
    const to = Math.min(trained.length, from + ROWS_PER_UNIT);
    this.loss.derive(before.length > 0 ? before : scores, output, trained, from, to, gradient, hessian);
    let g = 0;
    let h = 0;
    let largestGradient = 0;
    let largestHessian = 0;
    for (let i = from; i < to; i++) {
      const row = trained[i]!;
      const first = gradient[row]!;
      const second = hessian[row]!;
      g += first;
      h += second;
      largestGradient = Math.max(largestGradient, Math.abs(first));
      largestHessian = Math.max(largestHessian, second);
    }
    const at = unit * RESULT_NUMBERS;
    results[at] = g;
    results[at + 1] = h;
    results[at + 2] = largestGradient;
    results[at + 3] = largestHessian;
  }

  private pack(unit: number): void {
    const { trained, gradient, hessian, packed, largest } = this.memory;
    const from = unit * ROWS_PER_UNIT;
    const to = Math.min(trained.length, from + ROWS_PER_UNIT);
    this.sums.scale(largest);
    this.sums.pack(trained, from, to, gradient, hessian, packed);
  }

  /** @param sibling the leaf that took the place of the parent of `counted`, or -1 */
  private judge(unit: number, counted: number, sibling: number, phase: number): void {
    const { memory, sums, columns } = this;
    const { leaves, order, packed, largest, features, featuresPerUnit, offsets, histograms, bins, results } =
      memory;
    const at = counted * LEAF_NUMBERS;
    const from = leaves[at + Leaf.From]!;
    const to = leaves[at + Leaf.To]!;
    const rows = order[leaves[at + Leaf.Side] === 0 ? 0 : 1];
    if (this.gathered !== phase) {
      // This thread may not have packed a row of this tree.
      sums.scale(largest);
      sums.gather(packed, rows, from, to);
      this.gathered = phase;
    }
    const cells = offsets[features]!;
    const first = unit * featuresPerUnit;
    const end = Math.min(features, first + featuresPerUnit);
    const base = counted * cells;
    const other = sibling * cells;
    histograms.fill(0, base + offsets[first]!, base + offsets[end]!);
    for (let f = first; f < end; f++) {
      sums.add(columns[f]!, rows, from, to, bins[f]!.count, histograms, base + offsets[f]!);
    }
    if (sibling >= 0) {
      for (let i = offsets[first]!; i < offsets[end]!; i++) histograms[other + i]! -= histograms[base + i]!;
    }
    this.findBest(counted, first, end, results, unit * RESULT_NUMBERS);
    if (sibling >= 0) this.findBest(sibling, first, end, results, unit * RESULT_NUMBERS + RESULT_NUMBERS / 2);
  }

  /** Leaves the best split of a leaf by features `first` to `end` at `results[at…]`. */
  private findBest(number: number, first: number, end: number, results: Float64Array, at: number): void {
    const { memory, leaf, best, settings } = this;
    const { leaves, offsets, histograms, bins, features } = memory;
    const numbers = number * LEAF_NUMBERS;
    leaf.rows = leaves[numbers + Leaf.To]! - leaves[numbers + Leaf.From]!;
    leaf.gradient = leaves[numbers + Leaf.Gradient]!;
    leaf.hessian = leaves[numbers + Leaf.Hessian]!;
    Object.assign(best, NO_SPLIT);
    const small = leaf.rows < 2 * settings.minSamplesLeaf;
    if (!small && leaves[numbers + Leaf.Depth]! < settings.maxDepth) {
      const base = number * offsets[features]!;
      for (let f = first; f < end; f++) {
        findSplit(f, bins[f]!, histograms, base + offsets[f]!, leaf, settings, best);
      }
    }
    results[at] = best.gain;
    results[at + 1] = best.feature;
    // One number for both, of which bins are below 256.
    results[at + 2] = best.bin + (best.missingLeft ? MISSING_LEFT : 0);
    results[at + 3] = best.leftGradient;
    results[at + 4] = best.leftHessian;
  }

  /** Leaves the leaf's value, as float32 as the model has it, at `results[unit…]`. */
  private finish(unit: number, output: number): void {
    const { memory, settings } = this;
    const { leaves, order, gradient, hessian, scores, results } = memory;
    const at = unit * LEAF_NUMBERS;
    const from = leaves[at + Leaf.From]!;
    const to = leaves[at + Leaf.To]!;
    const rows = order[leaves[at + Leaf.Side] === 0 ? 0 : 1];
    // Summed anew: the histograms' sums are rounded.
    let g = 0;
    let h = 0;
    for (let i = from; i < to; i++) {
      g += gradient[rows[i]!]!;
      h += hessian[rows[i]!]!;
    }
    const { learningRate, l2 } = settings;
    const value = h + l2 > 0 ? Math.fround((-learningRate * g) / (h + l2)) : 0;
    const first = output * memory.rows;
    for (let i = from; i < to; i++) scores[first + rows[i]!]! += value;
    results[unit * RESULT_NUMBERS] = value;
  }
}

const MISSING_LEFT = 256;

const NO_SPLIT: LeafSplit = {
  gain: 0,
  feature: -1,
  bin: 0,
  missingLeft: false,
  leftGradient: 0,
  leftHessian: 0,
};

/** Reads a split that `Share` left in the results. */
export function readSplit(results: Float64Array, at: number): LeafSplit {
  const bin = results[at + 2]!;
  return {
    gain: results[at]!,
    feature: results[at + 1]!,
    bin: bin % MISSING_LEFT,
    missingLeft: bin >= MISSING_LEFT,
    leftGradient: results[at + 3]!,
    leftHessian: results[at + 4]!,
  };
}
