import { type DataFile, dataFiles, openDataFile } from './data-files';
import { type DuckReadOptions } from './duckdb/read-duck-table';
import { readCsvTable, type ReadResult } from './read-csv-table';

/** Up to here, csv-parse is done before DuckDB has started (25 ms, after 190 ms to load it). */
const SMALL_BYTES = 2 * 1024 * 1024;

export type TableOptions = Omit<DuckReadOptions, 'signal' | 'spillDir'> & {
  /** Which files of a directory; absent: all. */
  pattern?: string | undefined;
};

/**
 * Reads data of any supported format: a small CSV file by itself, everything else by DuckDB. Both give the same table
 * and the same errors.
 *
 * @param path A file or a directory.
 * @param file Its name for messages.
 * @param readDuck Loads and calls `readDuckTable`, in the way in which native code must be called.
 * @throws RetrainError as `readCsvTable` and `readDuckTable`.
 */
export async function readTable(
  path: string,
  file: string,
  options: TableOptions,
  readDuck: (files: readonly DataFile[], file: string, options: TableOptions) => Promise<ReadResult>,
): Promise<ReadResult> {
  const files = await dataFiles(path, file, options.pattern);
  if (!isSmallCsv(files) || options.sql !== undefined || options.filter !== undefined) {
    return readDuck(files, file, options);
  }
  const inputs = files.map((data) => ({ source: openDataFile(data), file: data.file }));
  return readCsvTable(inputs, file, options);
}

function isSmallCsv(files: readonly DataFile[]): boolean {
  return (
    files.every(({ format, gzip }) => format === 'csv' && !gzip) &&
    files.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0) <= SMALL_BYTES
  );
}
