import type { Objective } from './minimise';

/** Writes the second derivatives `[k, k]` at the point of the objective's last call. */
export type Hessian = (into: Float64Array) => void;

/**
 * Minimises a convex function by Newton's method with backtracking (Nocedal and Wright, "Numerical optimization",
 * algorithm 3.2): a handful of steps, each of the cost of the Hessian. Deterministic. `x` is changed to the minimum.
 * @param tolerance largest entry of the gradient to stop at
 * @yields the number of steps done, so that the caller can breathe between them
 */
export function* newton(
  objective: Objective,
  hessian: Hessian,
  x: Float64Array,
  tolerance: number,
  maxSteps: number,
): Generator<number> {
  const size = x.length;
  const gradient = new Float64Array(size);
  const second = new Float64Array(size * size);
  const next = new Float64Array(size);
  const nextGradient = new Float64Array(size);
  let value = objective(x, gradient);
  for (let step = 1; step <= maxSteps; step++) {
    if (gradient.every((g) => Math.abs(g) <= tolerance)) return;
    hessian(second);
    const direction = solve(second, gradient);
    const slope = direction.reduce((sum, d, i) => sum - d * gradient[i]!, 0);
    let nextValue = Infinity;
    for (let length = 1, tries = 0; tries < 40; tries++, length /= 2) {
      for (let i = 0; i < size; i++) next[i] = x[i]! - length * direction[i]!;
      nextValue = objective(next, nextGradient);
      if (nextValue <= value + 1e-4 * length * slope) break;
    }
    if (!(nextValue < value)) return;
    x.set(next);
    gradient.set(nextGradient);
    value = nextValue;
    yield step;
  }
}

/** Solves `matrix · y = right` for a symmetric matrix `[k, k]` by Cholesky's method; a pivot that rounding lost is raised. */
function solve(matrix: Float64Array, right: Float64Array): Float64Array {
  const k = right.length;
  const factor = matrix.slice();
  for (let j = 0; j < k; j++) {
    let pivot = factor[j * k + j]!;
    const least = 1e-12 * Math.max(1e-300, pivot);
    for (let i = 0; i < j; i++) pivot -= factor[j * k + i]! ** 2;
    const root = Math.sqrt(Math.max(pivot, least));
    factor[j * k + j] = root;
    for (let row = j + 1; row < k; row++) {
      let sum = factor[row * k + j]!;
      for (let i = 0; i < j; i++) sum -= factor[row * k + i]! * factor[j * k + i]!;
      factor[row * k + j] = sum / root;
    }
  }
  const y = right.slice();
  for (let j = 0; j < k; j++) {
    for (let i = 0; i < j; i++) y[j]! -= factor[j * k + i]! * y[i]!;
    y[j]! /= factor[j * k + j]!;
  }
  for (let j = k - 1; j >= 0; j--) {
    for (let i = j + 1; i < k; i++) y[j]! -= factor[i * k + j]! * y[i]!;
    y[j]! /= factor[j * k + j]!;
  }
  return y;
}
