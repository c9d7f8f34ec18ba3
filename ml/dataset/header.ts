import { type ColumnChoice, planColumns } from './column-plan';
import { csvFormat, type ReadingRules } from './csv-format';
import { firstDataFile, openDataFile, type DataFile } from './data-files';
import { readHeader } from './header-line';
import { firstKeys } from './json-lines';
import { readParquetColumns } from './parquet/read-parquet';

/** Names of the columns of a file. */
export interface FileColumns {
  names: string[];
  /** Those that are a row index, as the file says. */
  index: string[];
}

/**
 * Reads the names of the columns, and checks that those which params.yaml names are there. Cheap, whatever the size of
 * the data: for use before anything starts.
 *
 * @param path A file or a directory.
 * @param file Its name for messages.
 * @param pattern Which files of a directory; absent: all.
 * @param choice What params.yaml names (`columnChoice`); null when an SQL query makes the columns.
 * @throws RetrainError DATA_NOT_FOUND, or DATA_INVALID for an empty file, a missing header, names that are empty or
 * occur twice, a column that is not there.
 */
export async function checkColumns(
  path: string,
  file: string,
  choice: ColumnChoice | null,
  pattern?: string,
  rules: ReadingRules = {},
): Promise<string[]> {
  const first = await firstDataFile(path, file, pattern);
  if (first.format === 'json-lines' || first.format === 'json') {
    const { names, all } = await firstKeys(first);
    // A key may first occur in a later line or file: only the stage, which reads all of them, can miss one.
    if (choice !== null && all && first.file === file) planColumns(names, first.file, choice);
    return names;
  }
  const { names, index } = await columnNames(first, choice?.target, rules);
  if (choice !== null) planColumns(names, first.file, choice, index);
  return names;
}

/** Names of the columns of one file of CSV or Parquet; of JSON, those of its first objects. */
export async function columnNames(
  data: DataFile,
  target?: string,
  rules: ReadingRules = {},
): Promise<FileColumns> {
  switch (data.format) {
    case 'csv':
      return { names: await readHeader(openDataFile(data), data.file, target, csvFormat(rules)), index: [] };
    case 'parquet':
      return readParquetColumns(data.path, data.file);
    case 'json':
    case 'json-lines':
      return { names: (await firstKeys(data)).names, index: [] };
  }
}
