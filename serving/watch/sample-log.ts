import { type Column } from '../../ml/dataset/raw-table';
import { readPredictions } from '../log/read-predictions';
import { type Label, type ServedModel } from '../model/served-model';
import { answersColumn } from './answers-column';
import { RowSample } from './row-sample';

/** Which rows of a prediction log. */
export interface LogToSample {
  /** Folder of the log. */
  dir: string;
  from: Date;
  to: Date;
  model: string;
  modelVersion: string;
}

/** A sample of what a version was asked, and what it answered. */
export interface SampledLog {
  /** A column for each field that every row has, in their order. */
  columns: Column[];
  /** `[rows]` see `answersColumn`; null: there are no rows. */
  answers: Column | null;
  rows: number;
  /** Rows of the log in that time. */
  of: number;
  /** Fields that some rows do not have: those that the log leaves out. */
  absent: string[];
  /** Of the first and the last of all rows; null: there are none. */
  times: { first: Date; last: Date } | null;
}

/**
 * Reads the log's rows of one version in production, and keeps a sample of them. What a canary or a shadow answered is not among them.
 *
 * @throws as `readPredictions`
 */
export async function sampleLog(
  { dir, from, to, model, modelVersion }: LogToSample,
  served: Pick<ServedModel, 'fields' | 'task' | 'classes' | 'cutoff'>,
  { seed, signal, onRows }: { seed: number; signal: AbortSignal; onRows?: (rows: number) => void },
): Promise<SampledLog> {
  const { fields } = served;
  const value = served.task === 'regression' ? 'number' : 'text';
  const sample = new RowSample(
    [
      ...fields.map(({ name, type }) => ({
        name,
        kind: type === 'text' ? ('text' as const) : ('number' as const),
      })),
      { name: 'prediction', kind: value },
      { name: 'probability', kind: 'number' },
    ],
    seed,
  );
  const lacking = new Set<string>();
  let [first, last] = [Infinity, -Infinity];
  for await (const row of readPredictions(dir, { from, to, model, modelVersion, labels: false })) {
    if (row.role !== 'production') continue;
    first = Math.min(first, row.time.getTime());
    last = Math.max(last, row.time.getTime());
    const { features, prediction, probability } = row;
    for (const { name } of fields) if (!Object.hasOwn(features, name)) lacking.add(name);
    sample.add(
      (c) =>
        numberIn(
          c < fields.length ? features[fields[c]!.name] : c === fields.length ? prediction : probability,
        ),
      (c) => textIn(c < fields.length ? features[fields[c]!.name] : prediction),
    );
    if (sample.of % PROGRESS_ROWS === 0) {
      signal.throwIfAborted();
      onRows?.(sample.of);
    }
  }
  signal.throwIfAborted();
  const read = sample.finish();
  const [said, probability] = [read[fields.length]!, read[fields.length + 1]!];
  return {
    columns: read.slice(0, fields.length).filter(({ name }) => !lacking.has(name)),
    answers: sample.rows === 0 ? null : answersColumn(served, said, probability),
    rows: sample.rows,
    of: sample.of,
    absent: [...lacking],
    times: sample.of === 0 ? null : { first: new Date(first), last: new Date(last) },
  };
}

const PROGRESS_ROWS = 10_000;

const numberIn = (cell: Label | null | undefined): number =>
  typeof cell === 'number' ? cell : typeof cell === 'boolean' ? Number(cell) : Number.NaN;

const textIn = (cell: Label | null | undefined): string | null => (cell == null ? null : String(cell));
