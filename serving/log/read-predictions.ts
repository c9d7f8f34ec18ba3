import path from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { RetrainError } from '../../contracts/errors';
import { plainLine } from '../../contracts/plain-words';
import { type Label } from '../model/served-model';
import { FEEDBACK, isOfModel, listDays, listFolders } from './day-folder';
import { LabelBook } from './label-book';
import { type Cell, type FileColumn, readParquet } from './parquet-file';
import { FEATURE } from './segment-columns';
import { snapshotOf } from './snapshot';

/** One row of a prediction log. */
export interface PredictionRow {
  time: Date;
  requestId: string;
  /** Index of the row in its request. */
  row: number;
  modelName: string;
  modelVersion: string;
  role: 'production' | 'canary' | 'shadow';
  /** The answered class, or value. */
  prediction: Label | null;
  /** Of the answered class; null for regression. */
  probability: number | null;
  latencyMs: number | null;
  /** By the model's own column names; a missing cell is null. */
  features: Record<string, number | string | boolean | null>;
  /** What turned out to be true, the latest word of it; null: not known. */
  label: Label | null;
  /** When that came, by the clock of whoever keeps the log; null: it has not come. */
  labelTime: Date | null;
}

export interface PredictionQuery {
  /** From this moment on. */
  from?: Date;
  /** Before this moment. */
  to?: Date;
  /** Name of a registered model; absent: all. */
  model?: string;
  /** Of the model; absent: all. */
  modelVersion?: string;
  /** false: true labels are not looked for, and none is told. */
  labels?: boolean;
  /** false: the model's columns are not read, and no row has one. */
  features?: boolean;
  /** Labels that came from this moment on are not known yet; absent: all are. */
  labelsUntil?: Date;
}

/**
 * Rows of a prediction log with their true labels, day by day, the oldest day first; within a day by model version. While it is
 * written to, too. Memory: one file, 40 bytes for each row with a true label since `from`, and the names of a day's files. Others get their turn
 * every few thousand rows.
 *
 * @throws what the file system says; RetrainError DATA_INVALID naming a file that is none of a log
 */
export async function* readPredictions(
  dir: string,
  query: PredictionQuery = {},
): AsyncGenerator<PredictionRow> {
  const { from = new Date(0), to = new Date(8.64e15), model, modelVersion } = query;
  const labels =
    query.labels === false ? new LabelBook() : await readLabels(dir, from, query.labelsUntil ?? null);
  const only = query.features === false ? OURS : undefined;
  const isAsked = (row: PredictionRow): boolean =>
    (model === undefined || row.modelName === model) &&
    (modelVersion === undefined || row.modelVersion === modelVersion);
  for (const day of await listDays(dir)) {
    if (day < from.toISOString().slice(0, 10) || Date.parse(day) >= to.getTime()) continue;
    for (const folder of await listFolders(dir, day)) {
      if (folder === FEEDBACK || (model !== undefined && !isOfModel(folder, model, modelVersion))) continue;
      for await (const columns of filesOf(path.join(dir, day, folder), only)) {
        let seen = 0;
        for (const row of rowsOf(columns, labels)) {
          if (++seen % ROWS_AT_ONCE === 0) await nextTurn();
          if (row.time >= from && row.time < to && isAsked(row)) yield row;
        }
      }
    }
  }
}

/** Rows that are looked at before others get their turn. */
const ROWS_AT_ONCE = 4096;

/** The latest label of each row that was known at a moment. */
async function readLabels(dir: string, from: Date, until: Date | null): Promise<LabelBook> {
  const labels = new LabelBook();
  for (const day of await listDays(dir)) {
    if (day < from.toISOString().slice(0, 10) || (until !== null && Date.parse(day) >= until.getTime()))
      continue;
    for await (const columns of filesOf(path.join(dir, day, FEEDBACK))) {
      const [times, ids, rows, texts, numbers] = ['time', 'request_id', 'row', 'label', 'label_number'].map(
        (name) => columns.get(name)?.data ?? [],
      );
      for (let index = 0; index < (ids?.length ?? 0); index += 1) {
        if ((index + 1) % ROWS_AT_ONCE === 0) await nextTurn();
        const at = (times?.[index] as Date).getTime();
        if (until !== null && at >= until.getTime()) continue;
        const label = (numbers?.[index] ?? texts?.[index]) as Label;
        labels.add(String(ids?.[index]), Number(rows?.[index]), { at, label });
      }
    }
  }
  return labels;
}

/** Somebody else wrote it, or its disk lost some of it: what we write is there whole or not at all. */
const damaged = (file: string, cause: unknown): RetrainError =>
  new RetrainError(
    'DATA_INVALID',
    `${file}: cannot be read as a file of the prediction log (${plainLine((cause as Error).message).slice(0, 200)}); restore it from a backup, or move it out of the log: its rows are then left out`,
    { cause },
  );

/**
 * The files of a folder, each row once, also while others merge them.
 *
 * @throws RetrainError DATA_INVALID naming a file that is none of a log
 */
async function* filesOf(folder: string, only?: readonly string[]): AsyncGenerator<Map<string, FileColumn>> {
  for await (const { file, handle } of snapshotOf(folder)) {
    const columns = await readParquet(handle, only).catch((cause: unknown) => {
      throw damaged(file, cause);
    });
    const times = columns.get('time');
    if (times?.type !== 'TIMESTAMP' || !Array.from(times.data).every((time) => time instanceof Date))
      throw damaged(file, new Error('it has no times'));
    yield columns;
  }
}

function* rowsOf(columns: ReadonlyMap<string, FileColumn>, labels: LabelBook): Generator<PredictionRow> {
  const cellsOf = (name: string): ArrayLike<Cell> => columns.get(name)?.data ?? [];
  const [time, id, row, name, version, role, prediction, probability, latency] = OURS.map(cellsOf);
  const features = [...columns.values()].filter((column) => column.name.startsWith(FEATURE));
  for (let at = 0; at < (time?.length ?? 0); at += 1) {
    const truth = labels.get(String(id?.[at]), Number(row?.[at]));
    yield {
      time: time?.[at] as Date,
      requestId: String(id?.[at]),
      row: Number(row?.[at]),
      modelName: String(name?.[at]),
      modelVersion: String(version?.[at]),
      role: role?.[at] as PredictionRow['role'],
      prediction: (prediction?.[at] ?? null) as Label | null,
      probability: (probability?.[at] ?? null) as number | null,
      latencyMs: (latency?.[at] ?? null) as number | null,
      features: Object.fromEntries(
        features.map(({ name: full, data }) => [
          full.slice(FEATURE.length),
          (data[at] ?? null) as string | number | null,
        ]),
      ),
      label: truth?.label ?? null,
      labelTime: truth === undefined ? null : new Date(truth.at),
    };
  }
}

const OURS = [
  'time',
  'request_id',
  'row',
  'model_name',
  'model_version',
  'role',
  'prediction',
  'probability',
  'latency_ms',
];
