import { accessSync, constants, existsSync, statfsSync } from 'node:fs';
import { dirname } from 'node:path';
import { RetrainError } from '../../contracts/errors';

/** What was being done when the file system said no. */
export interface Writing {
  /** A file or folder on that file system, for the message when the error names none. */
  folder: string;
  /** Of what was being written, where that is known. */
  needBytes?: number;
  /** What to do about it; default: make room. */
  advice?: string;
}

const FULL: readonly string[] = ['ENOSPC', 'EDQUOT'];
const REFUSED: readonly string[] = ['EROFS', 'EACCES', 'EPERM'];

/** SQLite and DuckDB have words instead of codes. */
const FULL_IN_WORDS = /no space left on device|database or disk is full|disk quota exceeded/i;
const REFUSED_IN_WORDS = /attempt to write a readonly database|read-only file system/i;

/**
 * What a file system's refusal to write means to whoever runs us, with the path, what is needed and what is free.
 *
 * @returns DISK_FULL or STORAGE_REFUSED; null for any other error, and for one that is ours already
 */
export function storageTrouble(error: unknown, writing: Writing): RetrainError | null {
  if (error instanceof RetrainError || !isErrorLike(error)) return null;
  const { code = '', message, path, dest } = error;
  const place = dest ?? path;
  if (FULL.includes(code) || (code === '' && FULL_IN_WORDS.test(message))) {
    return fullDisk(message, { ...writing, folder: place ?? writing.folder }, error);
  }
  const refusal = hiddenRefusal(error);
  if (REFUSED.includes(code) || refusal !== null || (code === '' && REFUSED_IN_WORDS.test(message))) {
    return new RetrainError(
      'STORAGE_REFUSED',
      `${place ?? writing.folder} cannot be written (${(refusal ?? error).message}); give the user that retrain runs as the right to, or mount it writable`,
      { cause: error },
    );
  }
  return null;
}

/** Does something that writes below a folder; what the file system refuses is told: see `storageTrouble`. */
export async function writingTo<T>(writing: Writing, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw storageTrouble(error, writing) ?? error;
  }
}

/** @throws RetrainError DISK_FULL when less than this is free where the folder is, or is to be made */
export function requireRoom(folder: string, needBytes: number): void {
  const room = roomAt(folder);
  if (room === null || room.freeBytes >= needBytes) return;
  throw fullDisk(null, { folder, needBytes }, undefined);
}

function fullDisk(
  said: string | null,
  { folder, needBytes, advice = 'make room there, then repeat' }: Writing,
  cause: unknown,
): RetrainError {
  const room = roomAt(folder);
  const facts = [
    ...(said === null ? [] : [said]),
    ...(needBytes === undefined ? [] : [`needed: ${shownBytes(needBytes)}`]),
    ...(room === null
      ? []
      : [`free on its file system: ${shownBytes(room.freeBytes)} of ${shownBytes(room.allBytes)}`]),
  ];
  return new RetrainError('DISK_FULL', `${folder} is full (${facts.join('; ')}); ${advice}`, { cause });
}

/** Null where nobody can tell. */
function roomAt(place: string): { freeBytes: number; allBytes: number } | null {
  try {
    const { bavail, blocks, bsize } = statfsSync(existing(place));
    return { freeBytes: bavail * bsize, allBytes: blocks * bsize };
  } catch {
    return null;
  }
}

/** Node tells of a folder that it may not make, below one that is read-only, that there is no such folder. */
function hiddenRefusal({ code, syscall, path }: SystemError): { message: string } | null {
  if (code !== 'ENOENT' || syscall !== 'mkdir' || path === undefined) return null;
  try {
    accessSync(existing(dirname(path)), constants.W_OK);
    return null;
  } catch (error) {
    return isErrorLike(error) ? error : null;
  }
}

type SystemError = Pick<NodeJS.ErrnoException, 'code' | 'syscall' | 'path' | 'message'> & { dest?: string };

/** By shape, as errors of a thread or of native code may be of another realm. */
function isErrorLike(error: unknown): error is SystemError {
  return (
    typeof error === 'object' && error !== null && 'message' in error && typeof error.message === 'string'
  );
}

function existing(place: string): string {
  for (let at = place; ; at = dirname(at)) if (existsSync(at) || dirname(at) === at) return at;
}

function shownBytes(bytes: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
  let value = bytes;
  let unit = 0;
  for (; value >= 1024 && unit < units.length - 1; unit++) value /= 1024;
  return `${unit === 0 || value >= 100 ? Math.ceil(value) : value.toFixed(1)} ${units[unit]}`;
}
