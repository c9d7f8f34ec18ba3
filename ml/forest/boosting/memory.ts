import type { BinnedTable, FeatureBins } from '../histogram/bins';
import type { BoostSettings } from './settings';
import { BOARD_WORDS } from './phase-board';

/** Rows of a unit of work that goes through all rows. Sums are made unit by unit, whoever does them. */
export const ROWS_PER_UNIT = 8192;
/** Numbers that describe a leaf, see `Leaf`. */
export const LEAF_NUMBERS = 6;
/** Numbers that a unit leaves behind: two splits at most. */
export const RESULT_NUMBERS = 10;
/** Units that features are dealt out in, at most. */
const FEATURE_UNITS = 256;

/** Where a leaf's numbers are, from `leaf · LEAF_NUMBERS` on. */
export enum Leaf {
  /** Its rows: `From` to `To` (exclusive) of the array of row numbers that `Side` says. */
  From,
  To,
  Side,
  Depth,
  /** Sums over its rows. */
  Gradient,
  Hessian,
}

/** What the units of a phase do; its arguments are in `BoostMemory.phase`, in the order given here. */
export enum Phase {
  /** Derives the loss by one output's scores, for some rows: output. Leaves sums and largest derivatives behind. */
  Derive,
  /** Packs the derivatives of some rows. */
  Pack,
  /** Counts a leaf's histogram for some features, takes it from its parent's, and finds both's best splits:
   * the leaf, its sibling or -1, a number that no other such phase has. */
  Judge,
  /** Sums a leaf's derivatives and adds its value to the scores of its rows: output. */
  Finish,
}

/** All that the threads of one boosting share: plain arrays on shared memory. */
export interface BoostMemory {
  rows: number;
  features: number;
  /** `[n, d]` */
  codes: Uint8Array;
  bins: FeatureBins[];
  /** `[m]` numbers of the rows trained on. */
  trained: Int32Array;
  /** Row numbers, those of a leaf side by side. Splits move them to and fro between the two. */
  order: [Int32Array, Int32Array];
  /** `[n]` of the output at hand. */
  gradient: Float64Array;
  hessian: Float64Array;
  packed: Float64Array;
  /** `[2]` largest gradient and hessian of the tree at hand, which the packing follows. */
  largest: Float64Array;
  /** `[outputs, n]` and, with more than one output, what they were before the round. */
  scores: Float64Array;
  before: Float64Array;
  /** `[d + 1]` where a feature's cells begin in a histogram; the last says how many cells there are in all. */
  offsets: Int32Array;
  /** `[leaves, cells]` gradient and hessian by bin. */
  histograms: Float64Array;
  /** `[leaves, LEAF_NUMBERS]` */
  leaves: Float64Array;
  /** Features that a unit of `Judge` takes. */
  featuresPerUnit: number;
  /** The phase at hand: which one, and its arguments. */
  phase: Float64Array;
  /** `[units, RESULT_NUMBERS]` */
  results: Float64Array;
  board: Int32Array;
}

/** Takes the memory for boosting on a table. */
export function boostMemory(
  { rows, features, codes, bins }: BinnedTable,
  trained: Int32Array,
  outputs: number,
  { maxLeaves }: BoostSettings,
): BoostMemory {
  const integers = (size: number): Int32Array => new Int32Array(new SharedArrayBuffer(4 * size));
  const floats = (size: number): Float64Array => new Float64Array(new SharedArrayBuffer(8 * size));
  const offsets = integers(features + 1);
  bins.forEach(({ count }, f) => (offsets[f + 1] = offsets[f]! + 2 * count));
  const leaves = Math.min(maxLeaves, trained.length);
  const featuresPerUnit = Math.ceil(features / FEATURE_UNITS);
  const units = Math.max(
    Math.ceil(trained.length / ROWS_PER_UNIT),
    Math.ceil(features / featuresPerUnit),
    leaves,
  );
  const kept = integers(trained.length);
  kept.set(trained);
  return {
    rows,
    features,
    codes,
    bins,
    trained: kept,
    order: [integers(trained.length), integers(trained.length)],
    gradient: floats(rows),
    hessian: floats(rows),
    packed: floats(rows),
    largest: floats(2),
    scores: floats(outputs * rows),
    before: floats(outputs > 1 ? outputs * rows : 0),
    offsets,
    histograms: floats(leaves * offsets[features]!),
    leaves: floats(leaves * LEAF_NUMBERS),
    featuresPerUnit,
    phase: floats(4),
    results: floats(units * RESULT_NUMBERS),
    board: integers(BOARD_WORDS),
  };
}
