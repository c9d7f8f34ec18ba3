import { RetrainError } from '../../contracts/errors';
import { isBeforeGap } from '../dataset/moments';

/** What a rolling origin goes by; spans are in the unit of the times. */
export interface RollingOrigin {
  cutoffs: number;
  /** Length of the span after each cut-off. */
  window: number;
  /** How far back the training rows go. */
  past?: number | undefined;
  /** Span before the first scored row whose rows are not trained on. */
  gap: number;
}

/** Rows before and after one cut-off. */
export interface CutOff {
  /** The cut-off itself: the window is what is later than this … */
  after: number;
  /** … and no later than this. */
  until: number;
  /** Row numbers, rising. */
  train: Uint32Array;
  test: Uint32Array;
}

/** Fewer rows than these are no training. */
const LEAST_ROWS = 2;

/**
 * Cuts times into windows side by side, of which the last one ends with the latest time: of each, the rows in it, and those before
 * it by more than the gap. Rows of one time are on one side. A window that no row is in is left out,
 * and so is a cut-off before which there is nothing to train on: a project that has only begun has fewer.
 *
 * @param times `[n]`
 * @param shown how a time is written, for messages
 * @throws RetrainError DATA_INVALID when none is left
 */
export function cutOffs(
  times: Float64Array,
  { cutoffs, window, past = Infinity, gap }: RollingOrigin,
  shown: (time: number) => string,
): CutOff[] {
  const last = times.reduce((most, time) => Math.max(most, time), -Infinity);
  const found: CutOff[] = [];
  for (let k = 0; k < cutoffs; k++) {
    const after = last - window * (cutoffs - k);
    const until = k === cutoffs - 1 ? last : last - window * (cutoffs - k - 1);
    const test = rowsOf(times, (time) => time > after && time <= until);
    if (test.length === 0) continue;
    const first = test.reduce((least, row) => Math.min(least, times[row]!), Infinity);
    const train = rowsOf(
      times,
      (time) => time <= after && time > after - past && isBeforeGap(time, gap, first),
    );
    if (train.length < LEAST_ROWS) continue;
    found.push({ after, until, train, test });
  }
  if (found.length > 0) return found;
  const first = times.reduce((least, time) => Math.min(least, time), Infinity);
  throw new RetrainError(
    'DATA_INVALID',
    `train.backtest: none of the ${cutoffs} cut-offs has rows before it to train on, as the training rows are from ${shown(first)} to ${shown(last)}; ask for a shorter window, or wait for more data`,
  );
}

function rowsOf(times: Float64Array, isIn: (time: number) => boolean): Uint32Array {
  const rows = new Uint32Array(times.length);
  let count = 0;
  for (let row = 0; row < times.length; row++) if (isIn(times[row]!)) rows[count++] = row;
  return rows.slice(0, count);
}
