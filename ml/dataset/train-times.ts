import { RetrainError } from '../../contracts/errors';
import { readParquet } from './parquet/read-parquet';
import { writeParquet } from './parquet/write-parquet';

const COLUMN = 'time';

/**
 * Writes the times of the training rows, in the order of train.parquet: days since 1970-01-01, or numbers, as the schema's `time`
 * says. Without times the file has no row, and is there all the same: dvc misses an output that is not.
 *
 * @param times `[n]` of all rows; null: no time orders them
 * @param rows The training rows.
 */
export function writeTrainTimes(path: string, times: Float64Array | null, rows: Uint32Array): void {
  const values =
    times === null ? new Float64Array() : Float64Array.from(rows, (row) => times[row] ?? Number.NaN);
  writeParquet(path, [{ name: COLUMN, type: 'double', values }]);
}

/** @throws RetrainError STAGE_FAILED when there are not as many as rows */
export function readTrainTimes(path: string, rows: number): Float64Array {
  const column = readParquet(path).find(({ name }) => name === COLUMN);
  if (column?.type === 'double' && column.values.length === rows) return Float64Array.from(column.values);
  throw new RetrainError(
    'STAGE_FAILED',
    `the times of the training rows are ${column === undefined ? 'missing' : column.values.length}, expected ${rows} as in train.parquet`,
  );
}
