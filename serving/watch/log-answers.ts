import { Random } from '../../ml/random/random';
import { Reservoir } from '../../ml/drift/reservoir';
import { readPredictions } from '../log/read-predictions';
import { type Label, type ServedModel } from '../model/served-model';

/** Answers and what came true, of rows of one kind. */
export interface AnsweredRows {
  /** `[n]` class numbers, or values. */
  predicted: number[];
  /** `[n]` probability of the answered class; NaN: not told. */
  probability: number[];
  /** `[n]` class numbers, that of `UNKNOWN` for another class, or values; NaN: nobody knows. */
  truth: number[];
}

/** What the log has of a version in a window. */
export interface LoggedAnswers {
  /** Samples, where there are many: of all rows, and of those with a label. */
  all: AnsweredRows;
  labelled: AnsweredRows;
  rows: number;
  labels: number;
  /** By answer, as a text. */
  byAnswer: Map<string, { rows: number; labelled: number }>;
  /** Delays of a sample of the labels, in seconds. */
  delays: number[];
  early: number;
  unknown: number;
  unreadable: number;
}

/** Rows that are kept of either kind: more would make no interval narrower that anybody could see. */
const MOST_ROWS = 20_000;
const MOST_ANSWERS = 50;
const OTHER = 'other';

/** The class number of a class that the model does not know. */
export const unknownClass = ({ classes }: Pick<ServedModel, 'classes'>): number => classes.length;

export interface AnswersQuery {
  dir: string;
  model: string;
  modelVersion: string;
  from: Date;
  to: Date;
  /** Whether what only listened counts, too; default: no. */
  signal: AbortSignal;
  onRows?: ((rows: number) => void) | undefined;
}

/**
 * Reads what a version answered in a window, and the labels that came until its end: a check of an earlier moment knows no more than was known then.
 */
export async function logAnswers(
  { dir, signal, onRows, ...query }: AnswersQuery,
  model: Pick<ServedModel, 'task' | 'classes'>,
): Promise<LoggedAnswers> {
  const all = new Sample(1);
  const labelled = new Sample(2);
  const found: LoggedAnswers = {
    ...{ all: all.rows, labelled: labelled.rows, byAnswer: new Map() },
    ...{ rows: 0, labels: 0, delays: [], early: 0, unknown: 0, unreadable: 0 },
  };
  for await (const row of readPredictions(dir, { ...query, labelsUntil: query.to, features: false })) {
    if (row.role === 'shadow' || row.modelVersion !== query.modelVersion) continue;
    if (found.rows % 4096 === 0) {
      signal.throwIfAborted();
      onRows?.(found.rows);
    }
    found.rows += 1;
    const predicted = numberOf(row.prediction, model);
    const known = row.label;
    const read = known === null ? Number.NaN : numberOf(known, model);
    const truth =
      known !== null && model.task === 'classification' && Number.isNaN(read) ? unknownClass(model) : read;
    const isLabelled = !Number.isNaN(truth) && !Number.isNaN(predicted);
    if (known !== null && Number.isNaN(truth)) found.unreadable += 1;
    if (truth === unknownClass(model) && model.task === 'classification') found.unknown += 1;
    countAnswer(found.byAnswer, row.prediction, model, isLabelled);
    if (Number.isNaN(predicted)) continue;
    all.add(predicted, row.probability ?? Number.NaN, Number.NaN);
    if (!isLabelled) continue;
    found.labels += 1;
    const delay = (row.labelTime!.getTime() - row.time.getTime()) / 1000;
    if (delay < 0) found.early += 1;
    const place = labelled.add(predicted, row.probability ?? Number.NaN, truth);
    if (place !== null) found.delays[place] = Math.max(0, delay);
  }
  return found;
}

/** A class's number, or a value; NaN for none of the model's. Texts are taken as JSON or a CSV may write what the model says. */
export function numberOf(
  label: Label | null,
  { task, classes }: Pick<ServedModel, 'task' | 'classes'>,
): number {
  if (label === null) return Number.NaN;
  if (task === 'regression') {
    // Targets are float32: beyond, one label makes every figure infinite, and all others with it silent.
    return typeof label === 'number' && Number.isFinite(Math.fround(label)) ? label : Number.NaN;
  }
  const text = String(label);
  const exact = classes.findIndex((one) => String(one) === text);
  if (exact !== -1) return exact;
  const alike = classes.findIndex(
    (one) =>
      (typeof one === 'boolean' && String(one) === text.toLowerCase()) ||
      (typeof one === 'number' && text.trim() !== '' && Number(text) === one),
  );
  return alike === -1 ? Number.NaN : alike;
}

function countAnswer(
  counts: LoggedAnswers['byAnswer'],
  prediction: Label | null,
  { task }: Pick<ServedModel, 'task'>,
  isLabelled: boolean,
): void {
  if (task === 'regression') return;
  const text = String(prediction).slice(0, 100);
  const name = counts.has(text) || counts.size < MOST_ANSWERS ? text : OTHER;
  const count = counts.get(name) ?? { rows: 0, labelled: 0 };
  count.rows += 1;
  if (isLabelled) count.labelled += 1;
  counts.set(name, count);
}

class Sample {
  readonly rows: AnsweredRows = { predicted: [], probability: [], truth: [] };
  private readonly reservoir: Reservoir;

  constructor(stream: number) {
    this.reservoir = new Reservoir(MOST_ROWS, new Random(0, stream));
  }

  add(predicted: number, probability: number, truth: number): number | null {
    const place = this.reservoir.place();
    if (place === null) return null;
    this.rows.predicted[place] = predicted;
    this.rows.probability[place] = probability;
    this.rows.truth[place] = truth;
    return place;
  }
}
