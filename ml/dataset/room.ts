import { RetrainError } from '../../contracts/errors';

/**
 * Bytes that a stage takes for a cell at its peak: a float64 as DuckDB gives it and one as it is kept, the rows of the
 * split once more, and float32 as they are written. An estimate from those parts.
 */
const BYTES_PER_CELL = 28;

/** Row numbers, class numbers, the order of the split. */
const BYTES_PER_ROW = 40;

/** The most rows of that many columns for which a stage has room. */
export const mostRows = (columns: number, memoryBytes: number | undefined): number =>
  Math.floor((memoryBytes ?? Infinity) / (columns * BYTES_PER_CELL + BYTES_PER_ROW));

/**
 * Makes sure, before memory is taken for a table, that it has room.
 *
 * @param rows How many were seen so far.
 * @param memoryBytes What the stage may take; absent: anything.
 * @throws RetrainError DATA_TOO_LARGE: rows, columns, how many would have room, and what to do.
 */
export function requireRoom(
  file: string,
  rows: number,
  columns: number,
  memoryBytes: number | undefined,
): void {
  const most = mostRows(columns, memoryBytes);
  if (memoryBytes === undefined || rows <= most) return;
  throw new RetrainError(
    'DATA_TOO_LARGE',
    `${file}: ${rows} rows or more of ${columns} columns; the ${shownGib(memoryBytes)} that a stage may take have room for ${most}; ${SMALLER}`,
  );
}

/** What one can do about data that are too large. */
export const SMALLER =
  'raise RETRAIN_STAGE_MEMORY where the stage runs, or read less (preprocess.filter, preprocess.drop, data.files)';

/** `1.5 GiB`, or MiB below one. */
export function shownGib(bytes: number): string {
  const gib = bytes / 2 ** 30;
  return gib >= 1 ? `${gib.toFixed(1)} GiB` : `${Math.ceil(bytes / 2 ** 20)} MiB`;
}
