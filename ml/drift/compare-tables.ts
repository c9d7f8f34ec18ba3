import { setImmediate as nextTurn } from 'node:timers/promises';
import { type DriftedColumn, type DriftReport } from '../../contracts/drift';
import { type Column } from '../dataset/raw-table';
import { type DriftSettings, levelOf, oneColumn, QUESTIONS_PER_COLUMN, worstFirst } from './drift';
import { jointDrift } from './joint';

/** Two samples of the same columns, and a model's answers to both. */
export interface TablePair {
  /** At least one. */
  before: readonly Column[];
  /** The same columns, in the same order and of the same kinds. */
  now: readonly Column[];
  /** Null: not known, or of one side only. */
  answers: { before: Column; now: Column } | null;
}

/** What is asked, and what is an alarm: see `DriftParams`. */
export interface ComparisonSettings {
  /** Chance that the whole comparison raises any alarm where nothing has drifted. */
  falseAlarms: number;
  /** Least of each that matters. */
  psi: number;
  new_values: number;
  missing: number;
  auc: number;
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
  { before, now, answers }: TablePair,
  { falseAlarms, psi, new_values, missing, auc, joint, seed }: ComparisonSettings,
  { signal, onColumn, onJoint }: ComparisonWatch = {},
): Promise<Pick<DriftReport, 'columns' | 'prediction' | 'joint'>> {
  const together = joint && before.length > 1;
  const questions = QUESTIONS_PER_COLUMN * before.length + (answers === null ? 0 : 1) + (together ? 1 : 0);
  const settings: DriftSettings = {
    ...{ level: levelOf(falseAlarms, questions), leastStability: psi },
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
  const found =
    together && quiet.length > 1
      ? await jointDrift(
          quiet.map((at) => before[at]!),
          quiet.map((at) => now[at]!),
          { leastAuc: auc, seed, ...(signal === undefined ? {} : { signal }) },
        )
      : null;
  return {
    columns: columns.sort(worstFirst),
    prediction,
    joint: found === null ? null : { ...found, alarm: found.chance <= settings.level },
  };
}

/** Of answers only the distribution is asked: a probability that the held-out rows did not have is no new value. */
function answersDrift(
  { before, now }: NonNullable<TablePair['answers']>,
  settings: DriftSettings,
  stream: number,
): DriftedColumn {
  const found = oneColumn(before, now, settings, stream);
  return { ...found, alarms: found.alarms.filter((alarm) => alarm === 'distribution') };
}
