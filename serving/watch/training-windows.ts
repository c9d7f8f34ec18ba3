import { type ContentStore } from '../../integrations/dvc/content-store';
import { readTrainTimes } from '../../ml/dataset/train-times';
import { LEAST_WINDOWS, type Windows, windowsOf } from '../../ml/drift/windows';
import { readSchema } from './reference-table';
import { type SampledTable } from './sample-table';
import { type TrainingRows } from './training-rows';

/** Milliseconds of what the times of training rows are told in. */
const DAY_MS = 86_400_000;

/** The time of the rows of now, as far as it is known. */
export interface RowsInTime {
  /** All of them, also where a sample was taken. */
  of: number;
  times: { first: Date; last: Date } | null;
}

/** Windows of the training period, as long as the time of the rows of now. */
export interface TrainingWindows {
  /** Null: the training rows have no time, or too little of it. */
  windows: Windows | null;
  /** What a reader of the report should know; null: nothing. */
  note: string | null;
}

/**
 * Cuts the period of training rows that were split by time into windows. A log's rows tell when they were; of a table it is taken that as many rows as
 * in the training are of a day.
 *
 * @param train the sample of the training rows that is the reference
 */
export async function trainingWindows(
  store: ContentStore,
  { times, schema, params }: Pick<TrainingRows, 'times' | 'schema' | 'params'>,
  train: Pick<SampledTable, 'of' | 'positions'>,
  now: RowsInTime,
  signal: AbortSignal,
): Promise<TrainingWindows> {
  const none = { windows: null, note: null };
  if (params?.preprocess.split === 'grouped')
    return { windows: null, note: groupsNote(params.preprocess.group_by) };
  if (schema === null) return none;
  const { time } = await readSchema(store, schema, signal);
  if (time === undefined || times === null) return none;
  await store.verify(times, signal);
  const all = readTrainTimes(store.pathOf(times.md5), train.of);
  const own = Float64Array.from(train.positions, (row) => all[row]!);
  const isDated = time.unit === 'day' && now.times !== null;
  const days = (moment: Date): number => moment.getTime() / DAY_MS;
  const windows = windowsOf(
    own,
    isDated
      ? { from: days(now.times!.first), to: days(now.times!.last) }
      : { rows: (now.of / train.of) * own.length },
  );
  if (windows === null) {
    return {
      windows,
      note: `The training rows, split by ${time.column}, are of less than ${LEAST_WINDOWS} times as long as the rows of now: chance is taken as of rows that know nothing of each other; look at a shorter window, or train on a longer time.`,
    };
  }
  return {
    windows,
    note: `Training rows are split by ${time.column}: what is usual is what windows of the training rows as long as that of now differ by (${Math.floor(windows.count)} side by side).`,
  };
}

/** Which training row is of which group is not kept: only that there are groups is known. */
const groupsNote = (column: string | undefined): string =>
  `The training rows were split by ${column ?? 'groups'}: rows of one go together, and chance is taken as of rows that know nothing of each other, so that few groups in the rows of now may alarm without drift.`;
