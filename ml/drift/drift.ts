import { type DriftedColumn } from '../../contracts/drift';
import { type Column } from '../dataset/raw-table';
import { sortNumbers } from '../dataset/sort-numbers';
import { Random } from '../random/random';
import { binColumn, type BinnedColumn } from './bin-column';
import { chanceOfDistance, chanceOfShares, chanceOfStrange, sumOf } from './chance';
import { jensenShannon, populationStability, wasserstein } from './distances';
import { chancesByWindows, type WindowChances } from './window-chance';
import { type Windows } from './windows';

/** When a difference is an alarm. */
export interface DriftSettings {
  /** Chance below which the answer to one question is an alarm: see `levelOf`. */
  level: number;
  /** That of new and of missing values, where it is another. */
  rareLevel?: number;
  /** Least PSI that matters: a large sample shows differences that change nothing. */
  leastStability: number;
  /** Least share of rows with values that the reference never had that matters. */
  leastStrange: number;
  /** Least change of the share of missing values that matters. */
  leastMissing: number;
  seed: number;
  /** Of the training period, where its rows have a time: what is usual between windows is then what chance is taken for. */
  windows?: Windows | null;
}

/** From which PSI on a difference matters where rows are drawn one by one, and chance alone becomes small as they become many. */
export const USUAL_STABILITY = 0.1;
/** Likewise, how well a forest must tell them apart. */
export const USUAL_AREA = 0.6;

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
 * @param past for answers, whose reference are held-out rows
 * @throws RangeError for a column that is a text in one and numbers in the other
 */
export function oneColumn(
  reference: Column,
  current: Column,
  settings: DriftSettings,
  stream: number,
  past?: AnswerHistory,
): DriftedColumn {
  const { level, rareLevel = level, leastStability, leastStrange, leastMissing } = settings;
  const binned = binColumn(reference, current);
  const [before, now] = [presentOnly(binned.reference), presentOnly(binned.current)];
  const [rowsBefore, rowsNow] = [sumOf(binned.reference), sumOf(binned.current)];
  const [n, m] = [sumOf(before), sumOf(now)];
  const stability = n === 0 || m === 0 ? 0 : populationStability(before, now);
  const chances = chancesOf({ reference, current, binned, stability }, settings, stream, past);
  const { distribution: chance, strange: chanceOfNew, missing: chanceOfMissing } = chances;
  const missing = {
    reference: (rowsBefore - n) / Math.max(1, rowsBefore),
    current: (rowsNow - m) / Math.max(1, rowsNow),
  };
  const change = Math.abs(missing.current - missing.reference);

  const alarms: DriftedColumn['alarms'] = [];
  if (change > 0 && change >= leastMissing && chanceOfMissing <= rareLevel) alarms.push('missing');
  if (binned.strange > 0 && binned.strange >= leastStrange * rowsNow && chanceOfNew <= rareLevel) {
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

/** A model's answers in the training period, where the reference are those to rows that were held out. */
export interface AnswerHistory {
  answers: Column;
  windows: Windows;
  /** How many times the distance of a window from the training period is that from the held-out one expected to be. */
  scale: number;
}

interface BinnedPair {
  reference: Column;
  current: Column;
  binned: BinnedColumn;
  stability: number;
}

function chancesOf(
  { reference, current, binned, stability }: BinnedPair,
  { level, leastStability, seed, windows }: DriftSettings,
  stream: number,
  past: AnswerHistory | undefined,
): WindowChances {
  if (past !== undefined) {
    const history = binColumn(past.answers, current);
    return chancesByWindows(past.answers, binned, past.windows, history, past.scale);
  }
  if (windows != null) return chancesByWindows(reference, binned, windows);
  const [before, now] = [presentOnly(binned.reference), presentOnly(binned.current)];
  const [rowsBefore, rowsNow] = [sumOf(binned.reference), sumOf(binned.current)];
  const [n, m] = [sumOf(before), sumOf(now)];
  // What does not matter need not be known well.
  const asked = stability >= leastStability ? level : 1;
  return {
    distribution: chanceOfDistance(before, now, asked, new Random(seed, stream)),
    strange: chanceOfStrange(binned.strange, n, m, unseenOf(binned)),
    missing: chanceOfShares(rowsBefore - n, rowsBefore, rowsNow - m, rowsNow),
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
