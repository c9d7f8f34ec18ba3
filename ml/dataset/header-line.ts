import { RetrainError } from '../../contracts/errors';
import { type CsvFormat, PLAIN_CSV } from './csv-format';
import { readCsvRecords, StopReading, type CsvSource } from './csv-records';

/** Name of a first column that has none: the row index that pandas and R write. */
export const UNNAMED_INDEX = 'column00';

/**
 * Reads the names of the columns; cheap, whatever the size of the file.
 *
 * @throws RetrainError DATA_NOT_FOUND, or DATA_INVALID for an empty file, a missing header (a first line of
 * numbers), empty or duplicate names.
 */
export async function readHeader(
  source: CsvSource,
  file: string,
  target?: string,
  format: CsvFormat = PLAIN_CSV,
): Promise<string[]> {
  let header: string[] | undefined;
  await readCsvRecords(
    source,
    file,
    [],
    (record) => {
      header = checkHeader(record.cells, file, target);
      throw new StopReading();
    },
    format,
  );
  if (header === undefined) throw emptyFile(file);
  return header;
}

export function emptyFile(file: string): RetrainError {
  return new RetrainError('DATA_INVALID', `${file}:1: the file is empty; expected a header line and rows`);
}

/**
 * Names of the columns out of the cells of line 1, trimmed. An unnamed first column is called `column00`.
 *
 * @param target When it is among the names, numbers as names are fine.
 * @throws RetrainError DATA_INVALID
 */
export function checkHeader(cells: readonly string[], file: string, target?: string): string[] {
  const names = cells.map((cell) => cell.trim());
  if (names[0] === '' && names.length > 1) names[0] = UNNAMED_INDEX;
  const isNumber = (name: string): boolean => name !== '' && Number.isFinite(Number(name));
  const numbers = names.filter(isNumber);
  const looksLikeData = numbers.some((name) => /[.eE-]/.test(name)) || numbers.length === names.length;
  if (looksLikeData && (target === undefined || !names.includes(target))) {
    const at = names.findIndex(isNumber);
    throw new RetrainError(
      'DATA_INVALID',
      `${file}:1: the header is missing: column ${at + 1} of line 1 is ${names[at]}, expected the columns’ names`,
    );
  }
  const empty = names.indexOf('');
  if (empty !== -1) {
    throw new RetrainError(
      'DATA_INVALID',
      `${file}:1: column ${empty + 1} of ${names.length} has no name; every column needs one`,
    );
  }
  const seen = new Map<string, number>();
  for (const [at, name] of names.entries()) {
    const before = seen.get(name);
    if (before !== undefined) {
      throw new RetrainError(
        'DATA_INVALID',
        `${file}:1: columns ${before + 1} and ${at + 1} are both called "${name}"; names must differ`,
      );
    }
    seen.set(name, at);
  }
  return names;
}
