import path from 'node:path';
import { dayOf, FEEDBACK, makePrivate, newSegment, versionFolder } from './day-folder';
import { type FileColumn, writeParquet } from './parquet-file';
import { type PendingLabel, type PendingRows } from './pending-rows';
import { labelColumns, predictionColumns } from './segment-columns';

/** Writes predictions of one version and day as a file of their own. @throws what the file system says */
export async function writePredictions(dir: string, pending: PendingRows, now: number): Promise<void> {
  const folder = path.join(dir, pending.day, versionFolder(pending.modelName, pending.modelVersion));
  await writeRows(dir, folder, predictionColumns(pending), pending.rows, now);
}

/** Writes true labels likewise, into the day of their coming. */
export async function writeLabels(dir: string, labels: readonly PendingLabel[], now: number): Promise<void> {
  const folder = path.join(dir, dayOf(now), FEEDBACK);
  await writeRows(dir, folder, labelColumns(labels), labels.length, now);
}

async function writeRows(
  dir: string,
  folder: string,
  columns: readonly FileColumn[],
  rows: number,
  now: number,
): Promise<void> {
  // From the outside in, each with its rights: `recursive` sets those of the innermost only.
  await makePrivate(dir);
  await makePrivate(path.dirname(folder));
  await makePrivate(folder);
  await writeParquet(newSegment(folder, rows, now).file, columns);
}
