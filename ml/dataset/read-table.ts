import { type ColumnLook, lookAt, notNumbers } from './column-looks';
import { cellRules } from './csv-format';
import { type DataFile, dataFiles, openDataFile } from './data-files';
import { type DuckReadOptions } from './duckdb/read-duck-table';
import { NotNumbersError, readCsvTable, type ReadResult } from './read-csv-table';

/** Up to here, csv-parse is done before DuckDB has started (25 ms, after 190 ms to load it). */
const SMALL_BYTES = 2 * 1024 * 1024;

/** What columns look like, the first rows tell. */
const LOOK_ROWS = 100_000;

export type TableOptions = Omit<DuckReadOptions, 'signal' | 'spillDir'> & {
  /** Which files of a directory; absent: all. */
  pattern?: string | undefined;
};

/** Loads and calls `readDuckTable`, in the way in which native code must be called. */
export type DuckReader = (
  files: readonly DataFile[],
  file: string,
  options: TableOptions,
) => Promise<ReadResult>;

/**
 * Reads data of any supported format: a small CSV file by itself, everything else by DuckDB. Both give the same table
 * and the same errors.
 *
 * @param path A file or a directory.
 * @param file Its name for messages.
 * @throws RetrainError as `readCsvTable` and `readDuckTable`; where whole columns are no numbers, one error for all.
 */
export async function readTable(
  path: string,
  file: string,
  options: TableOptions,
  readDuck: DuckReader,
): Promise<ReadResult> {
  try {
    return await readOnce(path, file, options, readDuck);
  } catch (error) {
    if (!(error instanceof NotNumbersError)) throw error;
    const looks = await lookAtColumns(path, file, options, readDuck).catch(() => []);
    throw notNumbers(file, looks) ?? error;
  }
}

/** What the columns that would be features look like, by their first 100,000 rows. */
export async function lookAtColumns(
  path: string,
  file: string,
  options: TableOptions,
  readDuck: DuckReader,
): Promise<ColumnLook[]> {
  const choice = { ...options.choice, everythingText: true };
  const { table, plan, typed } = await readOnce(
    path,
    file,
    { ...options, choice, allowMissing: true, look: LOOK_ROWS },
    readDuck,
  );
  const rules = cellRules(options);
  // How the files write numbers says nothing of those that a query made, or that were no texts.
  const plain = cellRules({ missing: options.missing });
  const known = new Set(options.choice.encode ?? []);
  return plan.columns.flatMap(({ role, name }, f) => {
    const column = table.columns[f];
    return role === 'feature' && column?.kind === 'text' && !known.has(name)
      ? [lookAt(column, typed?.has(name) === true ? plain : rules)]
      : [];
  });
}

async function readOnce(
  path: string,
  file: string,
  options: TableOptions,
  readDuck: DuckReader,
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
