const float = new Float32Array(1);
const bits = new Int32Array(float.buffer);

/** The largest float32 below `x` (a float32; -Infinity stays). */
function previous(x: number): number {
  if (x === -Infinity) return x;
  if (x === 0) return -(2 ** -149);
  float[0] = x;
  bits[0] = (bits[0] ?? 0) + (x > 0 ? -1 : 1);
  return float[0];
}

/**
 * The float32 t for which `x <= t` decides as `x < bound` does, for every float32 x: the largest float32
 * below `bound`, a float64.
 */
export function largestFloat32Below(bound: number): number {
  const rounded = Math.fround(bound);
  return rounded < bound ? rounded : previous(rounded);
}

/**
 * A float32 threshold t with `below <= t < above`, the midpoint where it can be represented. `below` and `above`
 * are float32 values, `below < above`; either may be infinite, and they may be neighbours.
 */
export function thresholdBetween(below: number, above: number): number {
  const middle = Math.fround(below / 2 + above / 2);
  return middle >= below && middle < above ? middle : below;
}
