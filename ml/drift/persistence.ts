/** Shares of yesterday that are still there today; the last is next to a random walk. */
const PERSISTENCE = [0.3, 0.5, 0.6, 0.7, 0.8, 0.85, 0.9, 0.93, 0.95, 0.97, 0.98, 0.99, 0.995];

/** Lags that are looked at, and steps ahead, at most. */
const MOST_LAGS = 200;
const FARTHEST = 1000;

/** How far the shares of two steps differ, by how many steps are between them: `noise + slow · (1 - persistence^lag)`. */
interface Variogram {
  noise: number;
  slow: number;
  persistence: number;
}

/**
 * By how much farther a window that comes after the training period is from it than a window within it from the rest of it: 1 where steps know nothing
 * of each other, more where what is now lasts on (a mean of 28 days, a price that wanders), up to what a random walk does on its way to there.
 *
 * The variogram of the shares of the bins is fitted with noise and one exponential (a first-order autoregression; Cressie, "Statistics for spatial data", 1993). Unlike a
 * correlation it takes no mean of a short series for the true one.
 *
 * @param counts `[steps · bins]` rows by step and bin
 * @param horizon steps between the training period and the window
 */
export function forecastFactor(
  counts: Float64Array,
  bins: number,
  { steps, length, horizon }: { steps: number; length: number; horizon: number },
): number {
  const measured = variogramOf(counts, bins, steps);
  if (measured.length < 2) return 1;
  const { noise, slow, persistence } = fitted(measured, steps);
  const far = Math.min(horizon, FARTHEST);
  const size = { steps, length, horizon: far };
  const still = distancesOf((lag) => (lag === 0 ? 0 : 1), size);
  const lasting = distancesOf((lag) => 1 - persistence ** lag, size);
  const ahead = noise * still.ahead + slow * lasting.ahead;
  const within = noise * still.within + slow * lasting.within;
  return within > 0 ? Math.max(1, ahead / within) : 1;
}

/** `[lags]` mean squared distance of the shares of steps so many apart, bins weighed as in a chi-square; from lag 1 on. NaN: no pair. */
function variogramOf(counts: Float64Array, bins: number, steps: number): Float64Array {
  const total = new Float64Array(steps);
  const all = new Float64Array(bins);
  for (let step = 0; step < steps; step++) {
    for (let bin = 0; bin < bins; bin++) {
      total[step]! += counts[step * bins + bin]!;
      all[bin]! += counts[step * bins + bin]!;
    }
  }
  const rows = total.reduce((sum, one) => sum + one, 0);
  const shares = counts.map((count, at) => {
    const weight = all[at % bins]! / Math.max(1, rows);
    return weight > 0 ? count / Math.max(1, total[Math.floor(at / bins)]!) / Math.sqrt(weight) : 0;
  });
  const lags = Math.max(0, Math.min(MOST_LAGS, steps - 3));
  return Float64Array.from({ length: lags }, (_, i) => {
    let [sum, pairs] = [0, 0];
    for (let from = 0; from + i + 1 < steps; from++) {
      const to = from + i + 1;
      if (total[from] === 0 || total[to] === 0) continue;
      pairs++;
      for (let bin = 0; bin < bins; bin++) {
        sum += (shares[from * bins + bin]! - shares[to * bins + bin]!) ** 2;
      }
    }
    return pairs === 0 ? Number.NaN : sum / pairs / 2;
  });
}

/** Least squares, each lag weighed by how many pairs of steps it has; neither part below zero. */
function fitted(measured: Float64Array, steps: number): Variogram {
  let best: Variogram & { error: number } = { noise: 0, slow: 0, persistence: 0, error: Infinity };
  for (const persistence of [0, ...PERSISTENCE]) {
    let [w, wb, wbb, wy, wby, wyy] = [0, 0, 0, 0, 0, 0];
    measured.forEach((y, i) => {
      if (Number.isNaN(y)) return;
      const weight = steps - 1 - i;
      const b = 1 - persistence ** (i + 1);
      w += weight;
      wb += weight * b;
      wbb += weight * b * b;
      wy += weight * y;
      wby += weight * b * y;
      wyy += weight * y * y;
    });
    if (w === 0) continue;
    const det = w * wbb - wb * wb;
    const both =
      persistence > 0 && det > 1e-12 * w * wbb
        ? { noise: (wbb * wy - wb * wby) / det, slow: (w * wby - wb * wy) / det }
        : null;
    const candidates =
      both !== null && both.noise >= 0 && both.slow >= 0
        ? [both]
        : [{ noise: wy / w, slow: 0 }, ...(persistence > 0 ? [{ noise: 0, slow: wby / wbb }] : [])];
    for (const { noise, slow } of candidates) {
      const error =
        wyy - 2 * (noise * wy + slow * wby) + noise * noise * w + 2 * noise * slow * wb + slow * slow * wbb;
      // By more than rounding, so that the least persistent of equals is taken.
      if (error < best.error * (1 - 1e-12)) best = { noise, slow, persistence, error };
    }
  }
  return best;
}

/**
 * Expected squared distance of means, by a variogram: of a window ahead and the training period; of a window in it and the rest of it, on
 * average over all offsets.
 */
function distancesOf(
  variogram: (lag: number) => number,
  { steps, length, horizon }: { steps: number; length: number; horizon: number },
): { ahead: number; within: number } {
  const all = steps + horizon + length;
  const at = Float64Array.from({ length: all }, (_, lag) => variogram(lag));
  // Sums over lags 0 … n, so that a sum over a stretch of steps is a difference.
  const sums = new Float64Array(all + 1);
  for (let lag = 0; lag < all; lag++) sums[lag + 1] = sums[lag]! + at[lag]!;
  const pairs = (n: number): number => {
    let sum = 0;
    for (let lag = 1; lag < n; lag++) sum += 2 * (n - lag) * at[lag]!;
    return sum;
  };
  const [own, period] = [pairs(length), pairs(steps)];
  let across = 0;
  for (let i = 0; i < length; i++) {
    const nearest = horizon + i + 1;
    across += sums[nearest + steps]! - sums[nearest]!;
  }
  const ahead = (2 * across) / length / steps - own / length ** 2 - period / steps ** 2;
  const rest = steps - length;
  const toAll = Float64Array.from(
    { length: steps },
    (_, step) => sums[step + 1]! + sums[steps - step]! - at[0]!,
  );
  let [sum, within] = [0, 0];
  for (let end = 0; end < steps; end++) {
    sum += toAll[end]!;
    if (end >= length) sum -= toAll[end - length]!;
    if (end < length - 1) continue;
    const cross = sum - own;
    within += (2 * cross) / length / rest - own / length ** 2 - (period - 2 * sum + own) / rest ** 2;
  }
  return { ahead, within: within / (steps - length + 1) };
}
