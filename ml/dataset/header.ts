import { listed, RetrainError } from '../../contracts/errors';
import { nearest } from '../../contracts/nearest';
import { readCsvRecords, StopReading, type CsvSource } from './csv-records';

/** Name of a first column that has none: the row index that pandas and R write. */
export const UNNAMED_INDEX = 'column00';

/** The columns that params.yaml names. */
export interface ColumnChoice {
  target: string;
  drop: readonly string[];
  /** Old name to new. */
  rename: Readonly<Record<string, string>>;
}

/** Where each wanted column stands in the file. */
export interface ColumnPlan {
  /** Names in the file. */
  header: string[];
  /** New names of the features, in the file's order. */
  features: string[];
  /** Position of each feature in the file. */
  positions: number[];
  targetPosition: number;
  /** Name of the target, after renaming. */
  targetName: string;
}

/**
 * Reads the names of the columns; cheap, whatever the size of the file.
 *
 * @throws RetrainError DATA_NOT_FOUND, or DATA_INVALID for an empty file, a missing header (a first line of
 * numbers), empty or duplicate names.
 */
export async function readHeader(source: CsvSource, file: string, target?: string): Promise<string[]> {
  let header: string[] | undefined;
  await readCsvRecords(source, file, [], (record) => {
    header = checkHeader(record.cells, file, target);
    throw new StopReading();
  });
  if (header === undefined) throw emptyFile(file);
  return header;
}

/**
 * Reads the header and checks that every column that params.yaml names is there. For use before anything starts.
 *
 * @throws RetrainError as `readHeader` and `planColumns`.
 */
export async function checkColumns(source: CsvSource, file: string, choice: ColumnChoice): Promise<string[]> {
  const header = await readHeader(source, file, choice.target);
  planColumns(header, file, choice);
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

/**
 * Finds the target and the features in the header: everything but the target and the dropped columns.
 * `target`, `drop` and `rename` go by the names in the file; the target may also be given by its new name.
 *
 * @throws RetrainError DATA_INVALID that lists the columns and suggests the nearest name.
 */
export function planColumns(header: readonly string[], file: string, choice: ColumnChoice): ColumnPlan {
  for (const [old] of Object.entries(choice.rename)) requireColumn(header, file, 'preprocess.rename', old);
  for (const name of choice.drop) requireColumn(header, file, 'preprocess.drop', name);
  const renamed = header.map((name) =>
    Object.hasOwn(choice.rename, name) ? choice.rename[name] : undefined,
  );
  const names = header.map((name, at) => renamed[at] ?? name);
  const clash = names.find((name, at) => names.indexOf(name) !== at);
  if (clash !== undefined) {
    throw new RetrainError(
      'DATA_INVALID',
      `${file}:1: preprocess.rename makes two columns called "${clash}"; names must differ`,
    );
  }
  const target = choice.target;
  if (!header.includes(target) && !names.includes(target)) requireColumn(header, file, 'data.target', target);
  const targetPosition = names.includes(target) ? names.indexOf(target) : header.indexOf(target);
  if (choice.drop.includes(header[targetPosition] ?? '')) {
    throw new RetrainError(
      'DATA_INVALID',
      `${file}:1: preprocess.drop holds the target "${target}", which training needs`,
    );
  }
  const positions: number[] = [];
  for (const [at, name] of header.entries()) {
    if (at === targetPosition || choice.drop.includes(name)) continue;
    if (name === UNNAMED_INDEX && renamed[at] === undefined) {
      throw new RetrainError(
        'DATA_INVALID',
        `${file}:1: column 1 has no name, so it may be a row index; drop it (preprocess.drop: [${UNNAMED_INDEX}]) or name it (preprocess.rename)`,
      );
    }
    positions.push(at);
  }
  if (positions.length === 0) {
    throw new RetrainError(
      'DATA_INVALID',
      `${file}:1: no feature is left besides the target "${target}"; the columns are ${listed(header, 20)}`,
    );
  }
  return {
    header: [...header],
    features: positions.map((at) => names[at] ?? ''),
    positions,
    targetPosition,
    targetName: names[targetPosition] ?? target,
  };
}

function requireColumn(header: readonly string[], file: string, key: string, name: string): void {
  if (header.includes(name)) return;
  const guess = nearest(name, header);
  const separator =
    header.length === 1 ? ['\t', ';', '|'].find((mark) => (header[0] ?? '').includes(mark)) : undefined;
  const hint =
    separator !== undefined
      ? `; its cells are separated by ${JSON.stringify(separator)}, expected commas`
      : guess !== undefined
        ? `; did you mean "${guess}"?`
        : '';
  throw new RetrainError(
    'DATA_INVALID',
    `${file}:1: there is no column "${name}", which ${key} names; the columns are ${listed(header, 20)}${hint}`,
  );
}
