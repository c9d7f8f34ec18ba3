import { RetrainError } from '../../contracts/errors';
import type { FeatureMatrix } from '../dataset/matrix';

/**
 * A logistic regression: z = clip((x - mean) · scale), missing values at z = 0; raw = z · weights + bias; the link
 * turns raw scores into class probabilities.
 */
export interface LinearModel {
  kind: 'linear';
  task: 'classification';
  /** d */
  features: number;
  /** K */
  classes: number;
  /** 1 for two classes, else K. */
  outputs: number;
  /** `[d]` of the training rows, in the units of the features. */
  mean: Float32Array;
  /** `[d]` 1 / standard deviation; 0 for a constant feature. */
  scale: Float32Array;
  /** `[d, outputs]`, row-major */
  weights: Float32Array;
  /** `[outputs]` */
  bias: Float32Array;
  link: 'sigmoid' | 'softmax';
}

/** Standardised values are cut off here, so that an outlier or an infinity keeps the sums finite. */
export const CLIP = 1000;

/** The standardised value that the model works with, in float32 steps as an ONNX runtime computes it. */
export function standardised(value: number, mean: number, scale: number): number {
  if (Number.isNaN(value)) return 0;
  const z = Math.fround(Math.fround(value - mean) * scale);
  if (Number.isNaN(z)) return 0;
  return z > CLIP ? CLIP : z < -CLIP ? -CLIP : z;
}

/**
 * Predicts all rows of a table `[n, d]`: class probabilities `[n, K]`, row-major.
 * @throws RetrainError MODEL_INVALID when the table is not d wide
 */
export function predictLinear(model: LinearModel, table: FeatureMatrix): Float64Array {
  if (table.features !== model.features) {
    throw new RetrainError(
      'MODEL_INVALID',
      `rows have ${table.features} features, the model takes ${model.features}: give it the columns that it was trained on, in their order`,
    );
  }
  const { outputs, classes } = model;
  const probabilities = new Float64Array(table.rows * classes);
  const raw = new Float64Array(outputs);
  for (let i = 0; i < table.rows; i++) {
    raw.set(model.bias);
    for (let f = 0; f < table.features; f++) {
      const z = standardised(table.values[f * table.rows + i]!, model.mean[f]!, model.scale[f]!);
      for (let k = 0; k < outputs; k++) raw[k]! += z * model.weights[f * outputs + k]!;
    }
    link(raw, probabilities, i * classes);
  }
  return probabilities;
}

/** Probabilities of raw scores `[outputs]`: by the logistic function for one, by softmax for more. */
export function link(raw: Float64Array, out: Float64Array, at: number): void {
  if (raw.length === 1) {
    const p = 1 / (1 + Math.exp(-raw[0]!));
    out[at] = 1 - p;
    out[at + 1] = p;
    return;
  }
  const largest = raw.reduce((a, b) => Math.max(a, b), -Infinity);
  let sum = 0;
  for (let k = 0; k < raw.length; k++) sum += out[at + k] = Math.exp(raw[k]! - largest);
  for (let k = 0; k < raw.length; k++) out[at + k]! /= sum;
}
