const TERMS = 100;

/** The chance that a standard normal variable is above z, to 1e-12 of itself. */
export function normalTail(z: number): number {
  const upper = erfc(Math.abs(z) / Math.SQRT2) / 2;
  return z >= 0 ? upper : 1 - upper;
}

/** Complementary error function of x ≥ 0: the series of erf where that loses nothing, else the continued fraction (Laplace). */
function erfc(x: number): number {
  if (x < 2) {
    let [term, sum] = [x, x];
    for (let n = 1; n < TERMS; n++) {
      term *= (2 * x * x) / (2 * n + 1);
      sum += term;
    }
    return 1 - (2 / Math.sqrt(Math.PI)) * Math.exp(-x * x) * sum;
  }
  let fraction = x;
  for (let n = TERMS; n > 0; n--) fraction = x + n / 2 / fraction;
  return Math.exp(-x * x) / Math.sqrt(Math.PI) / fraction;
}
