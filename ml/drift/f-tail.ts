const TERMS = 500;
const NEAR = 1e-15;
const TINY = 1e-300;

/** Coefficients of Lanczos for g = 7, n = 9. */
const LANCZOS = [
  0.9999999999998099, 676.5203681218851, -1259.1392167224028, 771.3234287776531, -176.6150291621406,
  12.507343278686905, -0.13857109526572012, 9.984369578019572e-6, 1.5056327351493116e-7,
];

/**
 * The chance that a variable of the F distribution is at least x, as `scipy.stats.f.sf`, to 1e-9 of itself. With one and `b` degrees of freedom it is
 * that of the square of Student's t.
 *
 * @param x from 0 on; Infinity has no chance
 * @param a degrees of freedom above the line, above 0, need not be whole
 * @param b those below it
 */
export function fTail(x: number, a: number, b: number): number {
  if (!(x > 0)) return 1;
  if (x === Infinity) return 0;
  return incompleteBeta(b / (b + a * x), b / 2, a / 2);
}

/** Regularised incomplete beta function (continued fraction, Lentz). */
function incompleteBeta(x: number, a: number, b: number): number {
  if (x <= 0) return 0;
  if (x >= 1) return 1;
  // The fraction is quick on one side of the mean; on the other it is asked the other way round.
  if (x > (a + 1) / (a + b + 2)) return 1 - incompleteBeta(1 - x, b, a);
  const front = Math.exp(logGamma(a + b) - logGamma(a) - logGamma(b) + a * Math.log(x) + b * Math.log1p(-x));
  let c = 1;
  let d = 1 / notZero(1 - ((a + b) * x) / (a + 1));
  let fraction = d;
  for (let m = 1; m <= TERMS; m++) {
    const even = (m * (b - m) * x) / ((a + 2 * m - 1) * (a + 2 * m));
    d = 1 / notZero(1 + even * d);
    c = notZero(1 + even / c);
    fraction *= d * c;
    const odd = (-(a + m) * (a + b + m) * x) / ((a + 2 * m) * (a + 2 * m + 1));
    d = 1 / notZero(1 + odd * d);
    c = notZero(1 + odd / c);
    fraction *= d * c;
    if (Math.abs(d * c - 1) < NEAR) break;
  }
  return Math.min(1, (front * fraction) / a);
}

const notZero = (value: number): number => (Math.abs(value) < TINY ? TINY : value);

/** Logarithm of the gamma function, of x > 0 (Lanczos). */
function logGamma(x: number): number {
  if (x < 0.5) return Math.log(Math.PI / Math.sin(Math.PI * x)) - logGamma(1 - x);
  const z = x - 1;
  const base = z + 7.5;
  const sum = LANCZOS.reduce((all, one, i) => (i === 0 ? one : all + one / (z + i)), 0);
  return 0.5 * Math.log(2 * Math.PI) + (z + 0.5) * Math.log(base) - base + Math.log(sum);
}
