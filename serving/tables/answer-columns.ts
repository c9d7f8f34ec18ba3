import { RetrainError } from '../../contracts/errors';
import { listed } from '../../contracts/errors';
import { decisionOf } from '../model/decision';
import { type Answers, type Label, type ServedModel } from '../model/served-model';
import { type OutColumn } from './out-column';

/** Names of the columns of answers. */
const PREDICTION = 'prediction';
const PROBABILITY = 'probability';
const DECISION = 'decision';

type About = Pick<ServedModel, 'task' | 'classes' | 'cutoff' | 'signal'>;

/** Which columns hold a model's answers. */
export function answerNames(model: About, probabilities: boolean): string[] {
  const { task, classes } = model;
  if (task === 'regression') return model.signal === null ? [PREDICTION] : [PREDICTION, DECISION];
  return [
    PREDICTION,
    ...(probabilities ? [PROBABILITY, ...classes.map(nameOf)] : []),
    ...(probabilities && decisionOf(model) !== null ? [DECISION] : []),
  ];
}

const nameOf = (label: Label): string => `${PROBABILITY}_${String(label)}`;

/** @throws RetrainError USAGE for a kept column that is called as an answer is */
export function requireNoClash(kept: readonly string[], model: About): void {
  const clash = kept.filter((name) => answerNames(model, true).includes(name));
  if (clash.length === 0) return;
  throw new RetrainError(
    'USAGE',
    `--columns: ${listed(clash)} would stand beside the model's own columns of that name; leave it out, or call it otherwise in the data`,
  );
}

/**
 * The answers to some rows as columns: `prediction`, and of a classification `probability` (of what is predicted), `probability_CLASS`
 * for each class and, with a cut-off, `decision`: the class by it. Of a regression with a rule, `decision` is buy, hold or sell.
 *
 * @param space where numbers are put, used again by whoever gives it again
 */
export function answerColumns(
  model: About,
  rows: number,
  { labels, probabilities, values, signals }: Answers,
  space: Float64Array[] = [],
): OutColumn[] {
  const { classes } = model;
  if (values !== null) {
    const predicted: OutColumn = { name: PREDICTION, type: 'double', values };
    if (signals === undefined) return [predicted];
    return [predicted, { name: DECISION, type: 'text', values: signals }];
  }
  const said = labels ?? [];
  const count = classes.length;
  const columns: OutColumn[] = [labelColumn(PREDICTION, classes, said, () => roomOf(space, count + 1, rows))];
  if (probabilities === null) return columns;
  const byClass = classes.map((_, k) => roomOf(space, k, rows));
  const own = roomOf(space, count, rows);
  const places = new Map(classes.map((label, k) => [label, k]));
  for (let i = 0; i < rows; i++) {
    own[i] = probabilities[i * count + (places.get(said[i]!) ?? 0)]!;
  }
  for (const [k, shares] of byClass.entries())
    for (let i = 0, at = k; i < rows; i++, at += count) shares[i] = probabilities[at]!;
  columns.push({ name: PROBABILITY, type: 'double', values: own });
  for (const [k, label] of classes.entries())
    columns.push({ name: nameOf(label), type: 'double', values: byClass[k]! });
  const decision = decisionOf(model);
  if (decision !== null) {
    const decided = Array.from(byClass[decision.positive]!, (share) => decision.of(share));
    columns.push(labelColumn(DECISION, classes, decided, () => roomOf(space, count + 2, rows)));
  }
  return columns;
}

/** Room for so many numbers; all of them are to be written. */
function roomOf(space: Float64Array[], place: number, rows: number): Float64Array {
  const known = space[place];
  const room = known !== undefined && known.length >= rows ? known : new Float64Array(rows);
  space[place] = room;
  return room.subarray(0, rows);
}

/** Labels in the type that they have. */
function labelColumn(
  name: string,
  classes: readonly Label[],
  labels: readonly Label[],
  room: () => Float64Array,
): OutColumn {
  const all = classes.length > 0 ? classes : labels;
  if (all.every((label) => typeof label === 'boolean')) {
    return { name, type: 'boolean', values: Uint8Array.from(labels, Number) };
  }
  if (all.every((label) => typeof label === 'number')) {
    const values = room();
    for (let i = 0; i < labels.length; i++) values[i] = labels[i] as number;
    return { name, type: all.every(Number.isSafeInteger) ? 'int64' : 'double', values };
  }
  return { name, type: 'text', values: labels.map(String) };
}
