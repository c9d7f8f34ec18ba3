import { randomBytes } from 'node:crypto';
import { type FileHandle, open, readFile, rename, rm } from 'node:fs/promises';
import path from 'node:path';
import { PRIVATE_FILE } from '../../integrations/files/state-folder';
import { syncFolder } from '../../integrations/files/sync-folder';

/** Types of the columns that a log has. */
export type ColumnType = 'BOOLEAN' | 'DOUBLE' | 'INT32' | 'STRING' | 'TIMESTAMP';

export type Cell = boolean | number | string | Date | null;

/** A column of a file; a missing cell is null. */
export interface FileColumn {
  name: string;
  type: ColumnType;
  data: Cell[] | Float64Array | Int32Array;
}

const CREATED_BY = 'retrain';

/**
 * Writes a Parquet file that is there whole or not at all: beside its place, to the disk, then by its name. Its temporary name
 * begins with a dot, which readers of folders pass over.
 */
export async function writeParquet(file: string, columns: readonly FileColumn[]): Promise<void> {
  const { parquetWriteBuffer } = await import('hyparquet-writer');
  const bytes = parquetWriteBuffer({
    columnData: columns.map(({ name, type, data }) => ({
      name,
      type,
      data,
      nullable: true,
      offsetIndex: false,
    })),
    rowGroupSize: 1 << 20,
    createdBy: CREATED_BY,
  });
  await writeWhole(file, new Uint8Array(bytes));
}

/** Writes bytes likewise. */
export async function writeWhole(file: string, bytes: Uint8Array): Promise<void> {
  const folder = path.dirname(file);
  const beside = path.join(folder, `.${path.basename(file)}.${randomBytes(4).toString('hex')}.tmp`);
  try {
    const handle = await open(beside, 'wx', PRIVATE_FILE);
    try {
      await handle.writeFile(bytes);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(beside, file);
  } catch (error) {
    await rm(beside, { force: true });
    throw error;
  }
  await syncFolder(folder);
}

/**
 * The columns of a file of ours (tens of MB at most), all or those named, by name.
 *
 * @throws Error when it is no Parquet file
 */
export async function readParquet(
  file: string | FileHandle,
  columns?: readonly string[],
): Promise<Map<string, FileColumn>> {
  const { parquetMetadata, parquetRead } = await import('hyparquet');
  const bytes = await readFile(file);
  const buffer = bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength);
  const metadata = parquetMetadata(buffer);
  const found = new Map<string, FileColumn>();
  for (const element of metadata.schema.slice(1)) {
    if (columns !== undefined && !columns.includes(element.name)) continue;
    found.set(element.name, { name: element.name, type: typeOf(element), data: [] });
  }
  if (found.size === 0) return found;
  await parquetRead({
    file: buffer,
    metadata,
    columns: [...found.keys()],
    onChunk: ({ columnName, columnData, rowStart }) => {
      const column = found.get(columnName);
      if (column === undefined || !Array.isArray(column.data)) return;
      for (let row = 0; row < columnData.length; row += 1) {
        column.data[rowStart + row] = (columnData[row] ?? null) as Cell;
      }
    },
  });
  return found;
}

function typeOf({ name, type, converted_type: converted }: Element): ColumnType {
  if (type === 'BYTE_ARRAY') return 'STRING';
  if (type === 'INT64' && converted === 'TIMESTAMP_MILLIS') return 'TIMESTAMP';
  if (type === 'BOOLEAN' || type === 'DOUBLE' || type === 'INT32') return type;
  throw new Error(`column ${name} is of type ${type ?? 'group'}, which no prediction log has`);
}

interface Element {
  name: string;
  type?: string | undefined;
  converted_type?: string | undefined;
}
