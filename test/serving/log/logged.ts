import { type Column } from '../../../ml/dataset/raw-table';
import { type Label, type ServedModel } from '../../../serving/model/served-model';
import { type LoggedPrediction } from '../../../serving/log/prediction-log';

/** A model as far as a log sees it: its classes, and no more. */
export function modelOf(classes: readonly Label[]): ServedModel {
  return {
    task: classes.length > 0 ? 'classification' : 'regression',
    fields: [],
    classes,
    cutoff: null,
    signal: null,
    engine: 'forest',
    read: () => ({ mistakes: [] }),
    score: () => ({ labels: null, probabilities: null, values: null }),
    close: () => Promise.resolve(),
  };
}

/** A column of texts, or of numbers where NaN and null are missing ones. */
export function column(
  name: string,
  cells: readonly (number | string | null)[],
  kind: Column['kind'],
): Column {
  if (kind === 'number') {
    return {
      kind,
      name,
      values: Float64Array.from(cells, (cell) => (cell === null ? Number.NaN : Number(cell))),
    };
  }
  const levels = [...new Set(cells.filter((cell) => cell !== null).map(String))];
  return {
    kind,
    name,
    levels,
    codes: Int32Array.from(cells, (cell) => (cell === null ? -1 : levels.indexOf(String(cell)))),
  };
}

export interface Said {
  model: ServedModel;
  requestId: string;
  columns: Column[];
  /** Of each row: the class and its probability, or the value. */
  answers: readonly (readonly [Label, number])[] | readonly number[];
  at?: number;
  version?: string;
  name?: string;
  role?: LoggedPrediction['role'];
  latencyMs?: number;
}

/** A prediction as the API hands it to the log. */
export function logged({
  model,
  requestId,
  columns,
  answers,
  at,
  version,
  name,
  role,
  latencyMs,
}: Said): LoggedPrediction {
  const classes = model.classes.length;
  const probabilities = new Float64Array(answers.length * classes);
  const labels: Label[] = [];
  const values = new Float64Array(classes === 0 ? answers.length : 0);
  answers.forEach((answer, row) => {
    if (typeof answer === 'number') values[row] = answer;
    else {
      labels.push(answer[0]);
      probabilities[row * classes + model.classes.indexOf(answer[0])] = answer[1];
    }
  });
  return {
    at: at ?? Date.parse('2026-03-09T10:00:00Z'),
    requestId,
    modelName: name ?? 'iris-classifier',
    modelVersion: version ?? '3',
    role: role ?? 'production',
    model,
    batch: { rows: answers.length, columns },
    answers:
      classes === 0 ? { labels: null, probabilities: null, values } : { labels, probabilities, values: null },
    ...(latencyMs === undefined ? {} : { latencyMs }),
  };
}
