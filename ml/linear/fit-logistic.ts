import { setImmediate as nextTurn } from 'node:timers/promises';
import type { LabelledMatrix } from '../dataset/matrix';
import { link, standardised, type LinearModel } from './linear-model';
import { minimise } from './minimise';
import { newton } from './newton';

/** Features up to which the Hessian of two classes costs less than the many steps that it saves. */
const MOST_FOR_NEWTON = 64;

export interface LogisticSettings {
  /** Inverse strength of the L2 penalty, as scikit-learn's: the sum of losses times C, plus half the squared weights. */
  c: number;
  maxIterations: number;
}

export interface LogisticOptions {
  onIteration?: (done: number, total: number) => void;
  /** Ends the fit between two iterations: it rejects with the signal's reason. */
  signal?: AbortSignal;
}

/**
 * Fits a logistic regression to standardised features, multinomial for more than two classes: two classes of few features
 * by Newton's method, the rest by gradients.
 */
export async function fitLogistic(
  table: LabelledMatrix,
  { c, maxIterations }: LogisticSettings,
  { onIteration, signal }: LogisticOptions = {},
): Promise<LinearModel> {
  const { rows, features, classes, labels } = table;
  const outputs = classes === 2 ? 1 : classes;
  const { mean, scale } = moments(table);
  const z = new Float32Array(rows * features);
  for (let f = 0; f < features; f++) {
    for (let i = 0; i < rows; i++) {
      z[f * rows + i] = standardised(table.values[f * rows + i]!, mean[f]!, scale[f]!);
    }
  }
  // Weights [d, outputs], then the bias [outputs], which is not penalised.
  const x = new Float64Array((features + 1) * outputs);
  const raw = new Float64Array(rows * outputs);
  const probabilities = new Float64Array(classes);
  const objective = (at: Float64Array, gradient: Float64Array): number => {
    for (let i = 0; i < raw.length; i++) raw[i] = at[features * outputs + (i % outputs)]!;
    for (let f = 0; f < features; f++) {
      for (let k = 0; k < outputs; k++) {
        const weight = at[f * outputs + k]!;
        for (let i = 0; i < rows; i++) raw[i * outputs + k]! += weight * z[f * rows + i]!;
      }
    }
    let loss = 0;
    for (let i = 0; i < rows; i++) {
      const row = raw.subarray(i * outputs, (i + 1) * outputs);
      link(row, probabilities, 0);
      const label = labels[i]!;
      loss -= Math.log(Math.max(1e-300, probabilities[label]!));
      // The row's raw scores become the derivatives by them.
      for (let k = 0; k < outputs; k++) {
        const own = outputs === 1 ? 1 : k;
        row[k] = probabilities[own]! - (label === own ? 1 : 0);
      }
    }
    gradient.fill(0);
    let penalty = 0;
    for (let f = 0; f < features; f++) {
      for (let k = 0; k < outputs; k++) {
        let sum = 0;
        for (let i = 0; i < rows; i++) sum += raw[i * outputs + k]! * z[f * rows + i]!;
        const weight = at[f * outputs + k]!;
        gradient[f * outputs + k] = c * sum + weight;
        penalty += weight * weight;
      }
    }
    for (let i = 0; i < raw.length; i++) gradient[features * outputs + (i % outputs)]! += c * raw[i]!;
    return c * loss + penalty / 2;
  };
  const weighted = new Float64Array(rows);
  const shares = new Float64Array(rows);
  // Of two classes: p (1 - p) is the weight of a row, and the bias is a feature of ones that is not penalised.
  const hessian = (into: Float64Array): void => {
    const size = features + 1;
    const feature = (f: number): Float32Array => z.subarray(f * rows, (f + 1) * rows);
    for (let i = 0; i < rows; i++) {
      const p = raw[i]! + labels[i]!;
      shares[i] = c * p * (1 - p);
    }
    for (let f = 0; f < features; f++) {
      const column = feature(f);
      let alone = 0;
      for (let i = 0; i < rows; i++) {
        weighted[i] = shares[i]! * column[i]!;
        alone += weighted[i]!;
      }
      for (let g = 0; g <= f; g++) {
        const sum = dot(weighted, feature(g));
        into[f * size + g] = into[g * size + f] = f === g ? sum + 1 : sum;
      }
      into[f * size + features] = into[features * size + f] = alone;
    }
    into[size * size - 1] = shares.reduce((sum, share) => sum + share, 0);
  };
  const steps =
    outputs === 1 && features <= MOST_FOR_NEWTON
      ? newton(objective, hessian, x, 1e-4, maxIterations)
      : minimise(objective, x, 1e-4, maxIterations);
  for (const done of steps) {
    onIteration?.(done, maxIterations);
    await nextTurn();
    signal?.throwIfAborted();
  }
  return {
    kind: 'linear',
    task: 'classification',
    features,
    classes,
    outputs,
    mean,
    scale,
    weights: Float32Array.from(x.subarray(0, features * outputs)),
    bias: Float32Array.from(x.subarray(features * outputs)),
    link: outputs === 1 ? 'sigmoid' : 'softmax',
  };
}

function dot(a: Float64Array, b: Float32Array): number {
  // Four sums at a time: additions then don't wait for each other.
  let [p, q, r, s] = [0, 0, 0, 0];
  let i = 0;
  for (; i + 3 < a.length; i += 4) {
    p += a[i]! * b[i]!;
    q += a[i + 1]! * b[i + 1]!;
    r += a[i + 2]! * b[i + 2]!;
    s += a[i + 3]! * b[i + 3]!;
  }
  for (; i < a.length; i++) p += a[i]! * b[i]!;
  return p + q + r + s;
}

/** Mean and 1 / standard deviation of each feature over its finite values. */
function moments({ values, rows, features }: LabelledMatrix): { mean: Float32Array; scale: Float32Array } {
  const mean = new Float32Array(features);
  const scale = new Float32Array(features);
  for (let f = 0; f < features; f++) {
    const finite = values.subarray(f * rows, (f + 1) * rows).filter((v) => Number.isFinite(v));
    const centre = finite.reduce((sum, v) => sum + v, 0) / Math.max(1, finite.length);
    const variance = finite.reduce((sum, v) => sum + (v - centre) ** 2, 0) / Math.max(1, finite.length);
    mean[f] = centre;
    scale[f] = variance > 0 ? 1 / Math.sqrt(variance) : 0;
    if (!Number.isFinite(scale[f]!)) scale[f] = 0;
  }
  return { mean, scale };
}
