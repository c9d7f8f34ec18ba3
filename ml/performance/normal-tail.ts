/**
 * Chance that a standard normal number is below z, to a relative 1e-7 (the complementary error function by Numerical Recipes' `erfcc`,
 * a Chebyshev fit).
 */
export function normalBelow(z: number): number {
  const x = Math.abs(z) / Math.SQRT2;
  const t = 1 / (1 + x / 2);
  const polynomial = COEFFICIENTS.reduceRight((sum, coefficient) => coefficient + t * sum, 0);
  const above = (t * Math.exp(-x * x + polynomial)) / 2;
  return z < 0 ? above : 1 - above;
}

const COEFFICIENTS = [
  -1.26551223, 1.00002368, 0.37409196, 0.09678418, -0.18628806, 0.27886807, -1.13520398, 1.48851587,
  -0.82215223, 0.17087277,
];
