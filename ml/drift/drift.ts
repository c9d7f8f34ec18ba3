import { type Column } from '../dataset/raw-table';
import { sortNumbers } from '../dataset/sort-numbers';
import { Random } from '../random/random';
import { binColumn, type BinnedColumn } from './bin-column';
import { chanceOfDistance, chanceOfStrange } from './chance';
import { jensenShannon, populationStability, wasserstein } from './distances';

/** When a difference is an alarm. */
export interface DriftSettings {
  /** Chance that a whole check raises any alarm where nothing has drifted; 1 / 30 of a daily check is once in 30 days. */
  falseAlarms: number;
  /** Least PSI that matters: a large sample shows differences that change nothing. */
  leastStability: number;
  /** Least share of rows with values that the reference never had that matters. */
  leastStrange: number;
  /** Fewer current rows than this say nothing. */
  leastRows: number;
  seed: number;
}

/** Limits that are common for PSI: below 0.1 nobody would act. */
export const DRIFT_DEFAULTS: DriftSettings = {
  falseAlarms: 1 / 30,
  leastStability: 0.1,
  leastStrange: 0.01,
  leastRows: 100,
  seed: 0,
};

/** One column of the reference beside the same column now. */
export interface ColumnDrift {
  name: string;
  kind: 'number' | 'text';
  /** Worst first: what raised an alarm; empty: nothing did. */
  alarms: ('distribution' | 'new values')[];
  /** PSI over the bins, missing values among them. */
  stability: number;
  /** Chance of such a PSI where nothing has drifted. */
  chance: number;
  /** Of numbers: Wasserstein distance in standard deviations of the reference; null where it has none. */
  wasserstein: number | null;
  /** Of texts: Jensen-Shannon distance, 0 to 1, over the bins. */
  jensenShannon: number | null;
  /** Shares of missing values. */
  missing: { reference: number; current: number };
  /** Rows with values that the reference never had. */
  strange: { rows: number; chance: number; levels: string[] };
  /** Both over the same bins, for a picture. */
  bins: Pick<BinnedColumn, 'bins'> & { reference: number[]; current: number[] };
}

/** Draws for a chance, per alarm that is expected in as many: the chance at the limit is then known to a third of itself. */
const DRAWS_PER_ALARM = 10;
const LEAST_DRAWS = 1000;
const MOST_DRAWS = 20_000;

/**
 * Holds the columns of a table against those of the reference, each by two questions, whether its distribution and whether its values are
 * new ones. All questions together raise a false alarm as rarely as the settings say (Šidák), at any size of both tables.
 *
 * @param reference columns of the training rows
 * @param current the same columns now, in any order, and maybe others
 * @returns worst first; null where there are too few rows
 * @throws RangeError for a column that current lacks, or that is a text in one and numbers in the other
 */
export function columnDrift(
  reference: readonly Column[],
  current: readonly Column[],
  settings: DriftSettings = DRIFT_DEFAULTS,
): ColumnDrift[] | null {
  const rows = rowsOf(current[0]);
  if (rows < settings.leastRows) return null;
  const level = 1 - (1 - settings.falseAlarms) ** (1 / (2 * Math.max(1, reference.length)));
  const draws = Math.min(MOST_DRAWS, Math.max(LEAST_DRAWS, Math.ceil(DRAWS_PER_ALARM / level)));
  const found = reference.map((column, number) => {
    const now = current.find(({ name }) => name === column.name);
    if (now === undefined) throw new RangeError(`the table has no column ${column.name}`);
    return oneColumn(column, now, { ...settings, level, draws, random: new Random(settings.seed, number) });
  });
  return found.sort((a, b) => b.alarms.length - a.alarms.length || b.stability - a.stability);
}

function oneColumn(
  reference: Column,
  current: Column,
  asked: DriftSettings & { level: number; draws: number; random: Random },
): ColumnDrift {
  const binned = binColumn(reference, current);
  const [n, m] = [rowsOf(reference), rowsOf(current)];
  const stability = populationStability(binned.reference, binned.current);
  const matters = stability >= asked.leastStability;
  const chance = chanceOfDistance(binned.reference, binned.current, asked.draws, asked.random);
  const chanceOfNew = chanceOfStrange(binned.strange, n, m, binned.single === null ? 2 : 1 + binned.single);
  const alarms: ColumnDrift['alarms'] = [];
  if (binned.strange >= asked.leastStrange * m && chanceOfNew <= asked.level) alarms.push('new values');
  if (matters && chance <= asked.level) alarms.push('distribution');
  const missingOf = (counts: Float64Array, rows: number): number => counts.at(-1)! / Math.max(1, rows);
  return {
    name: reference.name,
    kind: reference.kind,
    alarms,
    stability,
    chance,
    wasserstein: inDeviations(reference, current),
    jensenShannon: reference.kind === 'text' ? jensenShannon(binned.reference, binned.current) : null,
    missing: { reference: missingOf(binned.reference, n), current: missingOf(binned.current, m) },
    strange: { rows: binned.strange, chance: chanceOfNew, levels: binned.newLevels },
    bins: { bins: binned.bins, reference: [...binned.reference], current: [...binned.current] },
  };
}

function inDeviations(reference: Column, current: Column): number | null {
  if (reference.kind !== 'number' || current.kind !== 'number') return null;
  const before = sortNumbers(reference.values.filter((value) => !Number.isNaN(value)));
  const now = sortNumbers(current.values.filter((value) => !Number.isNaN(value)));
  if (before.length < 2 || now.length === 0) return null;
  const mean = before.reduce((sum, value) => sum + value, 0) / before.length;
  const variance = before.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (before.length - 1);
  return variance > 0 ? wasserstein(before, now) / Math.sqrt(variance) : null;
}

const rowsOf = (column: Column | undefined): number =>
  column === undefined ? 0 : column.kind === 'number' ? column.values.length : column.codes.length;
