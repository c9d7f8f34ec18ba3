import {
  constants as open,
  closeSync,
  createReadStream,
  fstatSync,
  openSync,
  readdirSync,
  readSync,
  statSync,
} from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { join, relative, sep } from 'node:path';
import { type Readable } from 'node:stream';
import { constants, createGunzip, gunzipSync } from 'node:zlib';
import { listed, RetrainError } from '../../contracts/errors';
import { matcher } from '../../contracts/file-pattern';
import { byCodePoint } from './code-point-order';

export type DataFormat = 'csv' | 'parquet' | 'json-lines' | 'json';

/** One file of the data. */
export interface DataFile {
  path: string;
  /** Name for messages: as params.yaml knows it. */
  file: string;
  format: DataFormat;
  gzip: boolean;
  sizeBytes: number;
}

/**
 * The files of a data path: itself, or the files below a directory, sorted by code point, hidden ones left out. What
 * a file is, its first bytes tell, as inputs of a stage have no endings.
 *
 * @param file Name of the path for messages.
 * @param pattern Which files of a directory (`data.files`); absent: all.
 * @throws RetrainError DATA_NOT_FOUND, also for a pattern that no file fits; DATA_INVALID for an empty directory or one
 * of mixed formats.
 */
export async function dataFiles(path: string, file: string, pattern?: string): Promise<DataFile[]> {
  const files = (await listFiles(path, file, pattern)).map(describe);
  const [first] = files;
  const other = files.find(({ format }) => format !== first?.format);
  if (first !== undefined && other !== undefined) {
    throw new RetrainError(
      'DATA_INVALID',
      `${other.file}: is ${other.format}, but ${first.file} is ${first.format}; expected one format in a directory, so choose among the files: ${proposed(files.map((one) => one.file))}`,
    );
  }
  return files;
}

/** The first of `dataFiles`: the others are not opened, and without a pattern not even listed. */
export async function firstDataFile(path: string, file: string, pattern?: string): Promise<DataFile> {
  const first = pattern === undefined ? firstBelow(path) : undefined;
  if (first !== undefined && !NOTE.test(first))
    return describe({ path: join(path, first), file: `${file}/${first}` });
  const [one] = await listFiles(path, file, pattern);
  return describe(one);
}

/** The first file below a directory, in the order of whole paths; undefined when there is none, or no directory. */
function firstBelow(directory: string): string | undefined {
  if (statSync(directory, { throwIfNoEntry: false })?.isDirectory() !== true) return undefined;
  const names = readdirSync(directory, { withFileTypes: true })
    .filter((entry) => entry.isDirectory() || !entry.name.startsWith('.'))
    .map((entry) => (entry.isDirectory() ? `${entry.name}/` : entry.name))
    .sort(byCodePoint);
  for (const name of names) {
    if (!name.endsWith('/')) return name;
    const below = firstBelow(join(directory, name));
    if (below !== undefined) return `${name}${below}`;
  }
  return undefined;
}

type Listed = Pick<DataFile, 'path' | 'file'>;

async function listFiles(path: string, file: string, pattern?: string): Promise<[Listed, ...Listed[]]> {
  const status = await stat(path).catch(() => undefined);
  if (status === undefined) {
    throw new RetrainError('DATA_NOT_FOUND', `${file}: there is no such file; correct data.path`);
  }
  if (!status.isDirectory()) {
    if (pattern === undefined) return [{ path, file }];
    throw new RetrainError(
      'DATA_INVALID',
      `${file}: is a file, and data.files (${pattern}) chooses among those of a directory`,
    );
  }
  const entries = await readdir(path, { recursive: true, withFileTypes: true });
  const all = entries
    .filter((entry) => !entry.isDirectory() && !entry.name.startsWith('.'))
    .map((entry) => join(entry.parentPath, entry.name))
    .sort(byCodePoint);
  const fits = pattern === undefined ? undefined : matcher(pattern);
  const below = (one: string): string => relative(path, one).split(sep).join('/');
  const paths = fits === undefined ? all : all.filter((one) => fits(below(one)));
  if (paths.length === 0 && all.length > 0) {
    throw new RetrainError(
      'DATA_NOT_FOUND',
      `${file}/${pattern ?? ''}: none of the ${all.length} files fits this pattern; there are ${listed(all.map(below))}`,
    );
  }
  const [first, ...others] = paths.map((one) => ({ path: one, file: `${file}/${below(one)}` }));
  requireNoNotes([first, ...others].flatMap((one) => one?.file ?? []));
  if (first !== undefined) return [first, ...others];
  throw new RetrainError(
    'DATA_INVALID',
    `${file}: the directory holds no file, expected CSV, Parquet or JSON lines`,
  );
}

/** The bytes of a file, decompressed. */
export function openDataFile({ path, gzip }: DataFile): Readable {
  const stream = createReadStream(path);
  if (!gzip) return stream;
  const unzipped = createGunzip();
  stream.on('error', (error) => unzipped.destroy(error));
  unzipped.on('close', () => stream.destroy());
  return stream.pipe(unzipped);
}

/** Synchronous: one file after the other takes a third of the time, and never more than one open file. */
function describe({ path, file }: Listed): DataFile {
  // A pipe without a writer would wait for one.
  const fd = openSync(path, open.O_RDONLY | open.O_NONBLOCK);
  try {
    const status = fstatSync(fd);
    if (!status.isFile()) {
      throw new RetrainError('DATA_INVALID', `${file}: is a device or a pipe, expected a regular file`);
    }
    const { size } = status;
    const buffer = Buffer.alloc(64);
    const head = buffer.subarray(0, readSync(fd, buffer, 0, 64, 0));
    const gzip = head[0] === 0x1f && head[1] === 0x8b;
    const parquet = head.toString('latin1', 0, 4) === 'PAR1';
    const text = gzip ? unzippedHead(fd) : head.toString('latin1');
    const format = parquet
      ? 'parquet'
      : JSON_LINES.test(text)
        ? 'json-lines'
        : JSON_ARRAY.test(text)
          ? 'json'
          : 'csv';
    return { path, file, gzip, sizeBytes: size, format };
  } finally {
    closeSync(fd);
  }
}

const JSON_LINES = /^(\xef\xbb\xbf)?\s*\{/;
const JSON_ARRAY = /^(\xef\xbb\xbf)?\s*\[\s*(\{|$)/;

/** The first bytes of what is compressed; nothing of a file that is damaged, which its reader names. */
function unzippedHead(fd: number): string {
  const buffer = Buffer.alloc(4096);
  const bytes = buffer.subarray(0, readSync(fd, buffer, 0, buffer.length, 0));
  try {
    return gunzipSync(bytes, { finishFlush: constants.Z_SYNC_FLUSH, maxOutputLength: 1 << 22 }).toString(
      'latin1',
      0,
      64,
    );
  } catch {
    return '';
  }
}

/** Endings and names of what people and machines leave beside data. */
const NOTE = /(^|\/)(LICEN[CS]E|README|_SUCCESS|MANIFEST)$|\.(md|rst|html?|pdf|ya?ml|ipynb|py|crc)$/i;

/** @throws RetrainError DATA_INVALID for notes among tables, which would be read as tables. */
function requireNoNotes(files: readonly string[]): void {
  const note = files.find((file) => NOTE.test(file));
  if (note === undefined || files.every((file) => NOTE.test(file))) return;
  throw new RetrainError(
    'DATA_INVALID',
    `${note}: is no table, and all files of a directory are read; choose among them: ${proposed(files)}`,
  );
}

/** The line of params.yaml that leaves out what is no table. */
function proposed(files: readonly string[]): string {
  const endings = new Map<string, number>();
  for (const file of files.filter((one) => !NOTE.test(one))) {
    const ending = /(\.\w+(\.gz)?)$/.exec(file)?.[1] ?? '';
    endings.set(ending, (endings.get(ending) ?? 0) + 1);
  }
  const [most] = [...endings].sort((a, b) => b[1] - a[1]);
  return `data: { files: '**/*${most?.[0] ?? '.csv'}' }`;
}
