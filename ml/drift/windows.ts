import { sortNumbers } from '../dataset/sort-numbers';

/** The training period, cut into steps of the same length, and how many of them the rows of now take. */
export interface Windows {
  /** `[n]` the step of each reference row, from 0. */
  stepOf: Uint32Array;
  /** Of the whole training period. */
  steps: number;
  /** Steps of a window as long as that of the rows of now. */
  length: number;
  /** Windows, side by side, that the training period holds; not whole. */
  count: number;
  /** Steps between the end of the training period and the rows of now. */
  horizon: number;
}

/** Fewer windows side by side tell nothing of how windows differ. */
export const LEAST_WINDOWS = 3;

/** A window is of about as many steps: all offsets are looked at, step by step. */
const STEPS_PER_WINDOW = 8;

/** Steps at most. */
const MOST_STEPS = 2000;

/**
 * Cuts the training period so that any stretch of it that is as long as that of the rows of now can be held against the rest of it.
 *
 * @param times `[n]` of the reference rows, in any unit; finite
 * @param now when the rows of now were, in the same unit, the first and the last; or how many they are, where nobody knows when: then they are taken to be far off
 * @returns null for fewer than `LEAST_WINDOWS` windows
 */
export function windowsOf(
  times: Float64Array,
  now: { from: number; to: number } | { rows: number },
): Windows | null {
  if (times.length === 0 || times.some((time) => !Number.isFinite(time))) return null;
  const sorted = sortNumbers(Float64Array.from(times));
  const [first, last] = [sorted[0]!, sorted.at(-1)!];
  const unit = usualGap(sorted);
  if (unit === null) return null;
  const whole = last - first + unit;
  // Six in the morning to five past midnight, six days later, is seven days.
  const span =
    'from' in now
      ? unit * (Math.floor(now.to / unit) - Math.floor(now.from / unit) + 1)
      : (now.rows / times.length) * whole;
  // Whole units, so that days stay days.
  const least = Math.ceil(whole / MOST_STEPS / unit);
  const step = unit * Math.max(1, least, Math.floor(span / STEPS_PER_WINDOW / unit));
  const steps = Math.floor((last - first) / step + 1e-9) + 1;
  const length = Math.max(1, Math.round(span / step));
  const count = whole / Math.max(span, step);
  if (count < LEAST_WINDOWS) return null;
  const horizon = 'from' in now ? Math.max(0, Math.round((now.from - last) / step) - 1) : steps;
  return {
    stepOf: Uint32Array.from(times, (time) => Math.floor((time - first) / step + 1e-9)),
    ...{ steps, length, count, horizon },
  };
}

/** The middle one of the gaps between different times; null where all are alike. */
function usualGap(sorted: Float64Array): number | null {
  const gaps: number[] = [];
  for (let i = 1; i < sorted.length; i++) {
    const gap = sorted[i]! - sorted[i - 1]!;
    if (gap > 0) gaps.push(gap);
  }
  return gaps.length === 0 ? null : sortNumbers(Float64Array.from(gaps))[gaps.length >> 1]!;
}

/** Windows of some of the rows. */
export const takeWindows = (windows: Windows, rows: Uint32Array): Windows => ({
  ...windows,
  stepOf: Uint32Array.from(rows, (row) => windows.stepOf[row]!),
});
