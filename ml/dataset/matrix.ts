/**
 * A dense table of numbers `[n, d]`, float32, column-major: row i of feature f is `values[f * rows + i]`.
 * NaN is a missing value. May sit on a SharedArrayBuffer, so that threads read it without a copy.
 */
export interface FeatureMatrix {
  values: Float32Array;
  /** n */
  rows: number;
  /** d */
  features: number;
}

/** Rows with a class number in 0…K-1 each. */
export interface LabelledMatrix extends FeatureMatrix {
  /** `[n]` class numbers. */
  labels: Uint32Array;
  /** K */
  classes: number;
}

/** Rows with a number to predict each. */
export interface ValuedMatrix extends FeatureMatrix {
  /** `[n]`, in the target's unit. */
  targets: Float32Array;
}
