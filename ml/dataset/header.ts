import { RetrainError } from '../../contracts/errors';
import { type ColumnChoice, planColumns } from './column-plan';
import { firstDataFile, openDataFile, type DataFile } from './data-files';
import { readHeader } from './header-line';
import { readParquetNames } from './parquet/read-parquet';

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
): Promise<string[]> {
  const first = await firstDataFile(path, file, pattern);
  const header = await columnNames(first, choice?.target);
  if (choice !== null) planColumns(header, first.file, choice);
  return header;
}

/** Names of the columns of one file; of JSON lines, those of the first line. */
export async function columnNames(data: DataFile, target?: string): Promise<string[]> {
  switch (data.format) {
    case 'csv':
      return readHeader(openDataFile(data), data.file, target);
    case 'parquet':
      return readParquetNames(data.path, data.file);
    case 'json-lines':
      return firstKeys(data);
  }
}

async function firstKeys(data: DataFile): Promise<string[]> {
  let line = '';
  for await (const chunk of openDataFile(data)) {
    line += String(chunk);
    if (line.trimStart().includes('\n') || line.length > 1 << 20) break;
  }
  const [first = ''] = line.trim().split('\n');
  let parsed: unknown;
  try {
    parsed = JSON.parse(first);
  } catch {
    parsed = undefined;
  }
  if (typeof parsed === 'object' && parsed !== null && !Array.isArray(parsed)) return Object.keys(parsed);
  throw new RetrainError('DATA_INVALID', `${data.file}:1: is not a JSON object, expected one object a line`);
}
