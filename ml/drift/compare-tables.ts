import { setImmediate as nextTurn } from 'node:timers/promises';
import { type DriftedColumn, type DriftReport } from '../../contracts/drift';
import { type Column } from '../dataset/raw-table';
import {
  type AnswerHistory,
  type DriftSettings,
  levelOf,
  oneColumn,
  QUESTIONS_PER_COLUMN,
  USUAL_AREA,
  USUAL_STABILITY,
  worstFirst,
} from './drift';
import { independentColumns } from './independent-columns';
import { jointDrift } from './joint';
import { JOINT_WINDOWS, jointByWindows } from './joint-windows';
import { type Windows } from './windows';

/** Two samples of the same columns, and a model's answers to both. */
export interface TablePair {
  /** At least one. */
  before: readonly Column[];
  /** The same columns, in the same order and of the same kinds. */
  now: readonly Column[];
  /** Null: not known, or of one side only. */
  answers: { before: Column; now: Column; past?: AnswerHistory | undefined } | null;
  /** Where rows of the reference have a time: chance is what windows of its period differ by. */
  windows?: Windows | null;
}

/** What is asked, and what is an alarm: see `DriftParams`. */
export interface ComparisonSettings {
  /** Chance that the whole comparison raises any alarm where nothing has drifted. */
  falseAlarms: number;
  /** Least of each that matters; `psi` and `auc` absent: what is usual of rows that are drawn one by one, any that is beyond chance of windows. */
  psi?: number | undefined;
  new_values: number;
  missing: number;
  auc?: number | undefined;
  joint: boolean;
  seed: number;
}

export interface ComparisonWatch {
  signal?: AbortSignal;
  onColumn?: (done: number) => void;
  onJoint?: () => void;
}

/**
 * Asks all questions about two tables, so that all together raise a false alarm as rarely as the settings say: three of each column, one of the
 * answers, one of the columns together. The last one is asked of the columns that raised no alarm by themselves: the others would only be
 * found again. Others get their turn between two columns.
 *
 * @throws RangeError for a column that is a text in one and numbers in the other; the signal's reason when aborted
 */
export async function compareTables(
  { before, now, answers, windows = null }: TablePair,
  { falseAlarms, psi, new_values, missing, auc, joint, seed }: ComparisonSettings,
  { signal, onColumn, onJoint }: ComparisonWatch = {},
): Promise<Pick<DriftReport, 'columns' | 'prediction' | 'joint'>> {
  const together = joint && before.length > 1 && (windows === null || windows.count >= JOINT_WINDOWS);
  const besides = (answers === null ? 0 : 1) + (together ? 1 : 0);
  const settings: DriftSettings = {
    ...levelsOf(falseAlarms, before, besides, windows),
    ...{ leastStability: psi ?? (windows === null ? USUAL_STABILITY : 0), windows },
    ...{ leastStrange: new_values, leastMissing: missing, seed },
  };
  const columns: DriftedColumn[] = [];
  for (const [at, column] of before.entries()) {
    signal?.throwIfAborted();
    onColumn?.(at);
    columns.push(oneColumn(column, now[at]!, settings, at));
    await nextTurn();
  }
  const prediction = answers === null ? null : answersDrift(answers, settings, before.length);
  const quiet = before.map((_, at) => at).filter((at) => columns[at]!.alarms.length === 0);
  onJoint?.();
  const tables = [before, now].map((all) => quiet.map((at) => all[at]!));
  const options = { leastAuc: auc ?? USUAL_AREA, seed, ...(signal === undefined ? {} : { signal }) };
  const found = together && quiet.length > 1 ? await jointDrift(tables[0]!, tables[1]!, options) : null;
  const chance =
    found === null || windows === null
      ? found?.chance
      : await jointByWindows(tables[0]!, windows, found.auc, rowsIn(now), options);
  const isAlarm = chance !== undefined && chance <= settings.level && (found?.auc ?? 0) >= (auc ?? 0.5);
  return {
    columns: columns.sort(worstFirst),
    prediction,
    joint: found === null || chance === undefined ? null : { ...found, chance, alarm: isAlarm },
  };
}

/** The share of false alarms that is left to new and to missing values, where windows are what is usual: both are seldom, and have limits of their own. */
const RARE_SHARE = 0.2;

/**
 * Rows that are drawn one by one: all questions alike. Windows: columns that go together are fewer questions than they are, as what moves one window
 * of one moves it in the others.
 */
function levelsOf(
  falseAlarms: number,
  columns: readonly Column[],
  besides: number,
  windows: Windows | null,
): Pick<DriftSettings, 'level' | 'rareLevel'> {
  if (windows === null)
    return { level: levelOf(falseAlarms, QUESTIONS_PER_COLUMN * columns.length + besides) };
  const different = independentColumns(columns);
  return {
    level: levelOf((1 - RARE_SHARE) * falseAlarms, different + besides),
    rareLevel: levelOf(RARE_SHARE * falseAlarms, 2 * different),
  };
}

const rowsIn = ([column]: readonly Column[]): number =>
  column === undefined ? 0 : column.kind === 'number' ? column.values.length : column.codes.length;

/** Of answers only the distribution is asked: a probability that the held-out rows did not have is no new value. */
function answersDrift(
  { before, now, past }: NonNullable<TablePair['answers']>,
  settings: DriftSettings,
  stream: number,
): DriftedColumn {
  const found = oneColumn(before, now, { ...settings, windows: null }, stream, past);
  return { ...found, alarms: found.alarms.filter((alarm) => alarm === 'distribution') };
}
