import { type DriftedColumn } from '../../contracts/drift';
import { type Column } from '../dataset/raw-table';
import { sortNumbers } from '../dataset/sort-numbers';
import { Random } from '../random/random';
import { binColumn, type BinnedColumn } from './bin-column';
import { chanceOfDistance, chanceOfShares, chanceOfStrange, sumOf } from './chance';
import { jensenShannon, populationStability, wasserstein } from './distances';

/** When a difference is an alarm. */
export interface DriftSettings {
  /** Chance below which the answer to one question is an alarm: see `levelOf`. */
  level: number;
  /** Least PSI that matters: a large sample shows differences that change nothing. */
  leastStability: number;
  /** Least share of rows with values that the reference never had that matters. */
  leastStrange: number;
  /** Least change of the share of missing values that matters. */
  leastMissing: number;
  seed: number;
}

/** What is asked of a column: its distribution, values that are new, missing ones. */
export const QUESTIONS_PER_COLUMN = 3;

/** The level of each of some questions at which all together raise a false alarm by this chance (Šidák). */
export function levelOf(falseAlarms: number, questions: number): number {
  return -Math.expm1(Math.log1p(-falseAlarms) / Math.max(1, questions));
}

/**
 * Holds a column against the same one of the reference, by three questions: whether its distribution is another, whether values are new, and
 * whether another share is missing.
 *
 * @param reference of the training rows
 * @param stream another number for each column: which draws it gets
 * @throws RangeError for a column that is a text in one and numbers in the other
 */
export function oneColumn(
  reference: Column,
  current: Column,
  { level, leastStability, leastStrange, leastMissing, seed }: DriftSettings,
  stream: number,
): DriftedColumn {
  const binned = binColumn(reference, current);
  const [before, now] = [presentOnly(binned.reference), presentOnly(binned.current)];
  const [rowsBefore, rowsNow] = [sumOf(binned.reference), sumOf(binned.current)];
  const [n, m] = [sumOf(before), sumOf(now)];
  const stability = n === 0 || m === 0 ? 0 : populationStability(before, now);
  // What does not matter need not be known well.
  const asked = stability >= leastStability ? level : 1;
  const chance = chanceOfDistance(before, now, asked, new Random(seed, stream));
  const chanceOfNew = chanceOfStrange(binned.strange, n, m, unseenOf(binned));
  const missing = {
    reference: (rowsBefore - n) / Math.max(1, rowsBefore),
    current: (rowsNow - m) / Math.max(1, rowsNow),
  };
  const chanceOfMissing = chanceOfShares(rowsBefore - n, rowsBefore, rowsNow - m, rowsNow);
  const change = Math.abs(missing.current - missing.reference);

  const alarms: DriftedColumn['alarms'] = [];
  if (change > 0 && change >= leastMissing && chanceOfMissing <= level) alarms.push('missing');
  if (binned.strange > 0 && binned.strange >= leastStrange * rowsNow && chanceOfNew <= level) {
    alarms.push('new values');
  }
  if (stability > 0 && stability >= leastStability && chance <= level) alarms.push('distribution');
  return {
    name: reference.name,
    kind: reference.kind,
    alarms,
    stability,
    chance,
    wasserstein: inDeviations(reference, current),
    jensenShannon: reference.kind === 'text' && n > 0 && m > 0 ? jensenShannon(before, now) : null,
    missing: { ...missing, chance: chanceOfMissing },
    strange: { rows: binned.strange, chance: chanceOfNew, levels: binned.newLevels },
    bins: { bins: binned.bins, reference: [...binned.reference], current: [...binned.current] },
  };
}

/** What raised alarms first; among them what moved farthest. */
export function worstFirst(a: DriftedColumn, b: DriftedColumn): number {
  return (
    Number(b.alarms.length > 0) - Number(a.alarms.length > 0) ||
    severity(b) - severity(a) ||
    (a.name < b.name ? -1 : 1)
  );
}

/** PSI, which knows no bound; what is missing or new, as if it were a bin that was empty. */
function severity({ stability, missing, strange, bins }: DriftedColumn): number {
  const rows = bins.current.reduce((sum, count) => sum + count, 0);
  const change = Math.abs(missing.current - missing.reference);
  return stability + 5 * (change + strange.rows / Math.max(1, rows));
}

/** All bins but the last, which is that of missing values. */
const presentOnly = (counts: Float64Array): Float64Array => counts.subarray(0, -1);

const unseenOf = ({ single }: BinnedColumn): number => (single === null ? 2 : 1 + single);

function inDeviations(reference: Column, current: Column): number | null {
  if (reference.kind !== 'number' || current.kind !== 'number') return null;
  const before = sortNumbers(reference.values.filter((value) => !Number.isNaN(value)));
  const now = sortNumbers(current.values.filter((value) => !Number.isNaN(value)));
  if (before.length < 2 || now.length === 0) return null;
  const mean = before.reduce((sum, value) => sum + value, 0) / before.length;
  const variance = before.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (before.length - 1);
  return variance > 0 ? wasserstein(before, now) / Math.sqrt(variance) : null;
}
