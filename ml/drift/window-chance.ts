import { type Column } from '../dataset/raw-table';
import { type BinnedColumn } from './bin-column';
import { chanceOfShares, chanceOfStrange, sumOf } from './chance';
import { populationStability } from './distances';
import { fTail } from './f-tail';
import { forecastFactor } from './persistence';
import { strangeByWindow } from './strange-windows';
import { type Windows } from './windows';

/** Windows with fewer rows than this share of the usual number are left out: most of their days are silent. */
const LEAST_FILLED = 0.25;

/** Windows that were all alike do not prove that the next one is: a twentieth of what rows drawn one by one would differ by is granted. */
const LEAST_SPREAD = 0.05;

/** A share of strange rows that is granted to a column whose windows never had one. */
const LEAST_STRANGE = 0.001;

/** Chances of the three questions, where windows of the training period are what is usual. */
export interface WindowChances {
  distribution: number;
  missing: number;
  strange: number;
}

/**
 * By what chance a window of rows is so different from the training rows where nothing has drifted, when rows of a day, and of days in a row, go
 * together: each window of that length in the training period is held against the rest of it, and what they differ by is what is usual.
 *
 * A handful of windows has no one-in-a-thousandth of its own, so the tail is that of an F distribution around their mean (for quadratic forms Rao and Scott, "The analysis of
 * categorical data from complex sample surveys", 1981; for few blocks, Sun, "A heteroskedasticity and autocorrelation robust F test", 2013). Its degrees of freedom above the line are the directions in which windows
 * differ, by mean and variance of the distances (Satterthwaite); those below, the windows side by side but one, times the root of the directions:
 * these tell of each other's spread, though not as if each had windows of its own. What lasts longer than the training period shows makes it wider, see
 * `forecastFactor`.
 *
 * @param scale for a reference other than the windows' own: how many times their distance is expected
 */
export function chancesByWindows(
  reference: Column,
  binned: BinnedColumn,
  windows: Windows,
  history: BinnedColumn = binned,
  scale = 1,
): WindowChances {
  const { steps, length, count } = windows;
  const bins = history.reference.length;
  const counts = new Float64Array(steps * bins);
  history.referenceBins.forEach((bin, row) => counts[windows.stepOf[row]! * bins + bin]!++);
  const [rows, rowsNow] = [sumOf(binned.reference), sumOf(binned.current)];
  const [present, presentNow] = [rows - binned.reference.at(-1)!, rowsNow - binned.current.at(-1)!];

  const all = history.reference;
  const usual = (sumOf(all) / steps) * length;
  const distances: number[] = [];
  const changes: number[] = [];
  const filled: number[] = [];
  const window = new Float64Array(bins);
  for (let end = 0; end < steps; end++) {
    for (let bin = 0; bin < bins; bin++) {
      window[bin]! += counts[end * bins + bin]!;
      if (end >= length) window[bin]! -= counts[(end - length) * bins + bin]!;
    }
    const inside = sumOf(window);
    if (end < length - 1 || inside < LEAST_FILLED * usual) continue;
    const rest = all.map((one, bin) => one - window[bin]!);
    filled.push(inside);
    distances.push(populationStability(rest.subarray(0, -1), window.subarray(0, -1)));
    changes.push((window.at(-1)! / inside - rest.at(-1)! / Math.max(1, sumOf(rest))) ** 2);
  }
  const inWindow = mean(filled);

  const found = populationStability(binned.reference.subarray(0, -1), binned.current.subarray(0, -1));
  const held = binned.reference.subarray(0, -1).filter((one, bin) => one + binned.current[bin]! > 0).length;
  const directions = Math.max(1, held - 1);
  const shares = withoutLast(counts, bins);
  const drawn = directions * (1 / Math.max(1, present) + 1 / Math.max(1, presentNow));
  // Fewer rows than a window of the training has differ by more.
  const fewer = directions * Math.max(0, 1 / Math.max(1, presentNow) - 1 / Math.max(1, inWindow));
  const expected = Math.max(
    scale * mean(distances) * forecastFactor(shares, bins - 1, windows) + fewer,
    LEAST_SPREAD * drawn,
  );

  const absent = [rows - present, rowsNow - presentNow] as const;
  const share = (absent[0] + absent[1]) / Math.max(1, rows + rowsNow);
  const change = (absent[1] / Math.max(1, rowsNow) - absent[0] / Math.max(1, rows)) ** 2;
  const usualChange = Math.max(
    mean(changes) * forecastFactor(onlyLast(counts, bins), 2, windows),
    LEAST_SPREAD * share * (1 - share) * (1 / Math.max(1, rows) + 1 / Math.max(1, rowsNow)),
  );

  return {
    distribution:
      present === 0 || presentNow === 0 || found === 0
        ? 1
        : tail(found / expected, directionsOf(distances, directions), count),
    missing:
      change === 0
        ? 1
        : Math.max(
            tail(change / usualChange, 1, count),
            mean(changes) === 0 ? chanceOfShares(absent[0], rows, absent[1], rowsNow) : 0,
          ),
    strange: chanceOfStrangeWindow(reference, binned, windows),
  };
}

/** F around the mean of the windows. */
const tail = (ratio: number, directions: number, count: number): number =>
  fTail(ratio, directions, (count - 1) * Math.sqrt(directions));

/** Of a sum of squares: twice the squared mean, by the variance; between one and as many as bins leave free. */
function directionsOf(distances: readonly number[], most: number): number {
  const middle = mean(distances);
  const variance = mean(distances.map((one) => (one - middle) ** 2));
  return variance > 0 ? Math.min(most, Math.max(1, (2 * middle * middle) / variance)) : most;
}

/**
 * Shares of strange rows taken for exponential around the mean of the windows, whose mean is not known better than by so many of them; never less than
 * if rows came one by one.
 */
function chanceOfStrangeWindow(reference: Column, binned: BinnedColumn, windows: Windows): number {
  const rowsNow = sumOf(binned.current);
  const [n, m] = [sumOf(binned.reference) - binned.reference.at(-1)!, rowsNow - binned.current.at(-1)!];
  if (binned.strange === 0 || n === 0) return binned.strange === 0 ? 1 : 0;
  const usual = Math.max(LEAST_STRANGE, mean(strangeByWindow(reference, windows)));
  const times = binned.strange / rowsNow / usual;
  return Math.max(
    (1 + times / windows.count) ** -windows.count,
    chanceOfStrange(binned.strange, n, m, binned.single === null ? 2 : 1 + binned.single),
  );
}

/** Counts of the bins of values, without that of missing ones. */
const withoutLast = (counts: Float64Array, bins: number): Float64Array =>
  counts.filter((_, at) => at % bins !== bins - 1);

/** Counts of present and of missing values. */
function onlyLast(counts: Float64Array, bins: number): Float64Array {
  const found = new Float64Array((counts.length / bins) * 2);
  counts.forEach(
    (count, at) => (found[2 * Math.floor(at / bins) + (at % bins === bins - 1 ? 1 : 0)]! += count),
  );
  return found;
}

function mean(values: readonly number[]): number {
  return values.length === 0 ? 0 : values.reduce((sum, one) => sum + one, 0) / values.length;
}
