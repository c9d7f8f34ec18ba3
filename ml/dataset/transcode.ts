import { createWriteStream, mkdtempSync } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { type CsvFormat } from './csv-format';
import { type DataFile, openDataFile } from './data-files';

const DECODER = {
  'utf-8': 'utf-8',
  'utf-16': 'utf-16le',
  'latin-1': 'windows-1252',
  'windows-1252': 'windows-1252',
} as const satisfies Record<CsvFormat['encoding'], string>;

/** Bytes in another encoding as UTF-8. What the WHATWG calls latin-1 is windows-1252, which only differs in control codes. */
export async function* utf8Of(
  source: AsyncIterable<Buffer | string>,
  encoding: CsvFormat['encoding'],
): AsyncGenerator<Buffer> {
  let decoder: InstanceType<typeof TextDecoder> | undefined;
  for await (const piece of source) {
    const bytes = typeof piece === 'string' ? Buffer.from(piece) : piece;
    const bigEndian = encoding === 'utf-16' && bytes[0] === 0xfe && bytes[1] === 0xff;
    decoder ??= new TextDecoder(bigEndian ? 'utf-16be' : DECODER[encoding]);
    yield Buffer.from(decoder.decode(bytes, { stream: true }));
  }
  const rest = decoder?.decode();
  if (rest !== undefined && rest !== '') yield Buffer.from(rest);
}

const BOM = Buffer.from([0xef, 0xbb, 0xbf]);

/**
 * The files as DuckDB takes them: CSV of another encoding is written as UTF-8 below `folder`, and JSON without the byte
 * order mark, at which DuckDB stops.
 */
export async function asUtf8(
  files: readonly DataFile[],
  { encoding }: CsvFormat,
  folder: string,
): Promise<readonly DataFile[]> {
  const isCsv = files[0]?.format === 'csv';
  if (files[0]?.format === 'parquet' || (isCsv && encoding === 'utf-8')) return files;
  let into: string | undefined;
  const made: DataFile[] = [];
  for (const [at, data] of files.entries()) {
    if (!isCsv && !(await startsWithBom(data))) {
      made.push(data);
      continue;
    }
    into ??= mkdtempSync(join(folder, 'utf8-'));
    const path = join(into, String(at));
    const decoded = utf8Of(openDataFile(data), isCsv ? encoding : 'utf-8');
    await pipeline(Readable.from(decoded), createWriteStream(path));
    made.push({ ...data, path, gzip: false });
  }
  return made;
}

async function startsWithBom(data: DataFile): Promise<boolean> {
  for await (const chunk of openDataFile(data)) return BOM.equals((chunk as Buffer).subarray(0, 3));
  return false;
}
