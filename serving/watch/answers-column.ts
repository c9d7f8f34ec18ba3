import { setImmediate as nextTurn } from 'node:timers/promises';
import { type Column, takeColumn } from '../../ml/dataset/raw-table';
import { type Answers, type ServedModel } from '../model/served-model';

type Answering = Pick<ServedModel, 'task' | 'classes' | 'cutoff'>;

/** Rows that are scored at once, before others get their turn. */
const BATCH_ROWS = 4096;

/** What a column of answers is called. */
export const PREDICTION = 'prediction';

/**
 * A model's answers as one column whose distribution can be compared: the value of a regression; of two classes the probability of the
 * positive one, where the model tells it; else the class.
 *
 * @param said `[n]` classes as texts, or values
 * @param probability `[n]` of what was said; NaN: not told
 */
export function answersColumn(model: Answering, said: Column, probability: Column): Column {
  if (said.kind === 'number') return { ...said, name: PREDICTION };
  const positive = positiveOf(model);
  const known = probability.kind === 'number' && !probability.values.includes(Number.NaN);
  if (positive === null || !known) return { ...said, name: PREDICTION };
  const values = Float64Array.from(said.codes, (code, row) =>
    Math.fround(said.levels[code] === positive ? probability.values[row]! : 1 - probability.values[row]!),
  );
  return { kind: 'number', name: PREDICTION, values };
}

/** Of two classes, the one that a cut-off is about, else the last; null where there are more. */
export function positiveOf({ classes, cutoff }: Answering): string | null {
  return classes.length === 2 ? String(cutoff?.positive ?? classes[1]) : null;
}

/**
 * What a model answers to rows now, as `answersColumn` has it.
 *
 * @param columns a column for each field of the model, in their order
 */
export async function askedAgain(
  model: ServedModel,
  columns: readonly Column[],
  signal: AbortSignal,
): Promise<Column> {
  const rows = rowsOf(columns);
  const said: string[] = [];
  const values = new Float64Array(rows);
  const probability = new Float64Array(rows).fill(Number.NaN);
  const places = new Map(model.classes.map((label, k) => [label, k]));
  for (let from = 0; from < rows; from += BATCH_ROWS) {
    signal.throwIfAborted();
    const batch = Uint32Array.from({ length: Math.min(BATCH_ROWS, rows - from) }, (_, i) => from + i);
    const asked = { rows: batch.length, columns: columns.map((column) => takeColumn(column, batch)) };
    const answers: Answers = await model.score(asked);
    for (let i = 0; i < batch.length; i++) {
      if (answers.values !== null) values[from + i] = Math.fround(answers.values[i]!);
      const label = answers.labels?.[i];
      if (label === undefined) continue;
      said.push(String(label));
      const place = places.get(label);
      if (answers.probabilities !== null && place !== undefined) {
        probability[from + i] = answers.probabilities[i * model.classes.length + place]!;
      }
    }
    await nextTurn();
  }
  if (model.task === 'regression') return { kind: 'number', name: PREDICTION, values };
  const levels = [...new Set(said)];
  const codeOf = new Map(levels.map((level, code) => [level, code]));
  const codes = Int32Array.from(said, (label) => codeOf.get(label)!);
  return answersColumn(
    model,
    { kind: 'text', name: PREDICTION, codes, levels },
    { kind: 'number', name: 'probability', values: probability },
  );
}

export const rowsOf = ([column]: readonly Column[]): number =>
  column === undefined ? 0 : column.kind === 'number' ? column.values.length : column.codes.length;
