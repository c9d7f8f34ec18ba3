import type { Targets } from '../histogram/targets';
import { logistic } from './logistic';

/** A loss to boost on: raw scores `[outputs, n]`, output by output. */
export interface Loss {
  outputs: number;
  link: 'none' | 'sigmoid' | 'softmax';
  /** `[outputs]` best constant scores over the given rows. */
  base(rows: Int32Array): Float32Array;
  /** First and second derivatives of the loss by one output's score, for the rows `rows[from…to)`. */
  derive(
    scores: Float64Array,
    output: number,
    rows: Int32Array,
    from: number,
    to: number,
    gradient: Float64Array,
    hessian: Float64Array,
  ): void;
  /** Mean loss over the given rows. */
  mean(scores: Float64Array, rows: Int32Array): number;
}

/** Squared error, or logistic loss of two or more classes. */
export function lossFor(targets: Targets): Loss {
  if (targets.task === 'regression') return squaredError(targets.values);
  return targets.classes === 2
    ? binaryLogistic(targets.labels)
    : multinomialLogistic(targets.labels, targets.classes);
}

function squaredError(values: Float32Array): Loss {
  return {
    outputs: 1,
    link: 'none',
    base(rows) {
      let sum = 0;
      for (const row of rows) sum += values[row]!;
      return Float32Array.of(sum / rows.length);
    },
    derive(scores, _output, rows, from, to, gradient, hessian) {
      for (let i = from; i < to; i++) {
        const row = rows[i]!;
        gradient[row] = scores[row]! - values[row]!;
        hessian[row] = 1;
      }
    },
    mean(scores, rows) {
      let sum = 0;
      for (const row of rows) sum += (scores[row]! - values[row]!) ** 2;
      return sum / rows.length;
    },
  };
}

function binaryLogistic(labels: Uint32Array): Loss {
  return {
    outputs: 1,
    link: 'sigmoid',
    base(rows) {
      let ones = 0;
      for (const row of rows) ones += labels[row]!;
      const share = clamp(ones / rows.length);
      return Float32Array.of(Math.log(share / (1 - share)));
    },
    derive(scores, _output, rows, from, to, gradient, hessian) {
      for (let i = from; i < to; i++) {
        const row = rows[i]!;
        const p = logistic(scores[row]!);
        gradient[row] = p - labels[row]!;
        hessian[row] = p * (1 - p);
      }
    },
    mean(scores, rows) {
      let sum = 0;
      for (const row of rows) {
        const signed = labels[row] === 1 ? -scores[row]! : scores[row]!;
        sum += signed > 0 ? signed + Math.log1p(Math.exp(-signed)) : Math.log1p(Math.exp(signed));
      }
      return sum / rows.length;
    },
  };
}

function multinomialLogistic(labels: Uint32Array, classes: number): Loss {
  const n = labels.length;
  /** ln Σ exp(score) of a row. */
  const logSum = (scores: Float64Array, row: number): number => {
    let largest = -Infinity;
    for (let k = 0; k < classes; k++) largest = Math.max(largest, scores[k * n + row]!);
    let sum = 0;
    for (let k = 0; k < classes; k++) sum += Math.exp(scores[k * n + row]! - largest);
    return largest + Math.log(sum);
  };
  return {
    outputs: classes,
    link: 'softmax',
    base(rows) {
      const counts = new Float64Array(classes);
      for (const row of rows) counts[labels[row]!]! += 1;
      return Float32Array.from(counts, (count) => Math.log(clamp(count / rows.length)));
    },
    derive(scores, output, rows, from, to, gradient, hessian) {
      // The diagonal of the Hessian, times K/(K-1) as in Friedman (2001), which makes up for what it leaves out.
      const factor = classes / (classes - 1);
      for (let i = from; i < to; i++) {
        const row = rows[i]!;
        const p = Math.exp(scores[output * n + row]! - logSum(scores, row));
        gradient[row] = p - (labels[row] === output ? 1 : 0);
        hessian[row] = factor * p * (1 - p);
      }
    },
    mean(scores, rows) {
      let sum = 0;
      for (const row of rows) sum += logSum(scores, row) - scores[labels[row]! * n + row]!;
      return sum / rows.length;
    },
  };
}

/** Keeps shares off 0 and 1, whose log odds are infinite. */
function clamp(share: number): number {
  return Math.min(1 - 1e-7, Math.max(1e-7, share));
}
