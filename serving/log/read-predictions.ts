import path from 'node:path';
import { type Label } from '../model/served-model';
import { FEEDBACK, isOfModel, listDays, listFolders } from './day-folder';
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
}

/**
 * Rows of a prediction log with their true labels, day by day, the oldest day first; within a day by model version. While it is
 * written to, too. Memory: one file, the true labels since `from`, and the names of a day's files.
 *
 * @throws what the file system says; Error for a file that is no Parquet
 */
export async function* readPredictions(
  dir: string,
  query: PredictionQuery = {},
): AsyncGenerator<PredictionRow> {
  const { from = new Date(0), to = new Date(8.64e15), model, modelVersion } = query;
  const labels = query.labels === false ? new Map<string, never>() : await readLabels(dir, from);
  const isAsked = (row: PredictionRow): boolean =>
    (model === undefined || row.modelName === model) &&
    (modelVersion === undefined || row.modelVersion === modelVersion);
  for (const day of await listDays(dir)) {
    if (day < from.toISOString().slice(0, 10) || Date.parse(day) >= to.getTime()) continue;
    for (const folder of await listFolders(dir, day)) {
      if (folder === FEEDBACK || (model !== undefined && !isOfModel(folder, model, modelVersion))) continue;
      for await (const columns of filesOf(path.join(dir, day, folder))) {
        for (const row of rowsOf(columns, labels)) {
          if (row.time >= from && row.time < to && isAsked(row)) yield row;
        }
      }
    }
  }
}

/** The latest label of each row, by request id and row. */
async function readLabels(dir: string, from: Date): Promise<Map<string, { at: number; label: Label }>> {
  const labels = new Map<string, { at: number; label: Label }>();
  for (const day of await listDays(dir)) {
    if (day < from.toISOString().slice(0, 10)) continue;
    for await (const columns of filesOf(path.join(dir, day, FEEDBACK))) {
      const [times, ids, rows, texts, numbers] = ['time', 'request_id', 'row', 'label', 'label_number'].map(
        (name) => columns.get(name)?.data ?? [],
      );
      for (let index = 0; index < (ids?.length ?? 0); index += 1) {
        const key = keyOf(ids?.[index], rows?.[index]);
        const at = (times?.[index] as Date).getTime();
        if (at < (labels.get(key)?.at ?? -Infinity)) continue;
        labels.set(key, { at, label: (numbers?.[index] ?? texts?.[index]) as Label });
      }
    }
  }
  return labels;
}

/** The files of a folder, each row once, also while others merge them. */
async function* filesOf(folder: string): AsyncGenerator<Map<string, FileColumn>> {
  for await (const file of snapshotOf(folder)) yield await readParquet(file);
}

function* rowsOf(
  columns: ReadonlyMap<string, FileColumn>,
  labels: ReadonlyMap<string, { at: number; label: Label }>,
): Generator<PredictionRow> {
  const cellsOf = (name: string): ArrayLike<Cell> => columns.get(name)?.data ?? [];
  const [time, id, row, name, version, role, prediction, probability, latency] = OURS.map(cellsOf);
  const features = [...columns.values()].filter((column) => column.name.startsWith(FEATURE));
  for (let at = 0; at < (time?.length ?? 0); at += 1) {
    const truth = labels.get(keyOf(id?.[at], row?.[at]));
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

function keyOf(requestId: Cell | undefined, row: Cell | undefined): string {
  return `${String(row)} ${String(requestId)}`;
}
