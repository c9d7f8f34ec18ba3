import { RetrainError } from '../../../contracts/errors';
import { type DataFile } from '../data-files';
import { shownGib, SMALLER } from '../room';

const MOST_CHARACTERS = 300;
const MOST_QUOTED = 40;

/** A mistake in the SQL of params.yaml. */
export function configError(key: string, error: unknown, memoryBytes: number | undefined): RetrainError {
  if (isOutOfMemory(error)) return tooLarge(key, memoryBytes, error);
  if (isFullDisk(error)) return fullDisk(key, error);
  return new RetrainError('CONFIG_INVALID', `${key}: ${oneLine(error)}`, { cause: error });
}

/** Data that DuckDB could not read. */
export function dataError(
  files: readonly DataFile[],
  file: string,
  error: unknown,
  memoryBytes: number | undefined,
): RetrainError {
  if (isOutOfMemory(error)) return tooLarge(file, memoryBytes, error);
  if (isFullDisk(error)) return fullDisk(file, error);
  return new RetrainError('DATA_INVALID', `${file}: ${named(files, oneLine(error))}`, { cause: error });
}

function tooLarge(what: string, memoryBytes: number | undefined, cause: unknown): RetrainError {
  const bound =
    memoryBytes === undefined ? 'its memory' : `the ${shownGib(memoryBytes)} that a stage may take`;
  return new RetrainError('DATA_TOO_LARGE', `${what}: does not fit into ${bound}; ${SMALLER}`, { cause });
}

/** It spills what does not fit into memory, into the working folder of the stage. */
const isFullDisk = (error: unknown): boolean =>
  /No space left on device|Disk quota exceeded/.test(messageOf(error));

const fullDisk = (what: string, cause: unknown): RetrainError =>
  new RetrainError(
    'DISK_FULL',
    `${what}: no room is left for what does not fit into memory (${oneLine(cause)}); make room, then repeat`,
    { cause },
  );

export const isOutOfMemory = (error: unknown): boolean => /^Out of Memory Error/.test(messageOf(error));

/**
 * DuckDB's messages have a first line, hints, an excerpt of the query, and lines of the file. Of those, nothing but a
 * short value is shown.
 */
function oneLine(error: unknown): string {
  const lines = messageOf(error)
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '' && !/^(LINE \d|\^|Original Line|file = )/.test(line));
  const joined = lines
    .slice(0, 2)
    .join(' ')
    .replace(
      /(["'])((?:(?!\1).){41,}?)\1/gs,
      (_, mark: string, text: string) => `${mark}${text.slice(0, MOST_QUOTED)}…${mark}`,
    );
  return joined.length > MOST_CHARACTERS ? `${joined.slice(0, MOST_CHARACTERS - 1)}…` : joined;
}

/** By shape, as errors from native code may be of another realm. */
function messageOf(error: unknown): string {
  return typeof error === 'object' &&
    error !== null &&
    'message' in error &&
    typeof error.message === 'string'
    ? error.message
    : String(error);
}

/** DuckDB names files by their paths in the store, which tell a reader nothing. */
function named(files: readonly DataFile[], message: string): string {
  return files.reduce((text, { path, file }) => text.replaceAll(path, file), message);
}
