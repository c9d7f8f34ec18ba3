import { type FileHandle, open } from 'node:fs/promises';
import { LARGE_ROWS, listSegments, type Segment } from './day-folder';

/** How often a folder is listed again because its files were merged meanwhile. */
const MOST_LISTINGS = 10;

/** A file of a folder, opened. */
export interface OpenSegment {
  /** Absolute. */
  file: string;
  handle: FileHandle;
}

/**
 * The files of a folder at one moment, opened. Small files are opened all at once: what others merge and remove afterwards can be
 * read on by who has it open, so that each row is seen once. There are about a hundred of them at most; large ones are never merged, and are
 * opened one by one. A handle is closed when the next one is asked for.
 */
export async function* snapshotOf(folder: string): AsyncGenerator<OpenSegment> {
  const { small, large } = await openSmall(folder);
  try {
    yield* small;
  } finally {
    for (const { handle } of small) await handle.close();
  }
  for (const { file } of large) {
    const handle = await openThere(file);
    // Its day was removed, for it was too old.
    if (handle === null) continue;
    try {
      yield { file, handle };
    } finally {
      await handle.close();
    }
  }
}

async function openSmall(folder: string): Promise<{ small: OpenSegment[]; large: Segment[] }> {
  for (let listing = 1; ; listing += 1) {
    const segments = await listSegments(folder);
    const small: OpenSegment[] = [];
    const wanted = segments.filter(({ rows }) => rows < LARGE_ROWS);
    for (const { file } of wanted) {
      const handle = await openThere(file);
      if (handle === null) break;
      small.push({ file, handle });
    }
    if (small.length === wanted.length || listing === MOST_LISTINGS) {
      return { small, large: segments.filter(({ rows }) => rows >= LARGE_ROWS) };
    }
    for (const { handle } of small) await handle.close();
  }
}

async function openThere(file: string): Promise<FileHandle | null> {
  try {
    return await open(file, 'r');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
}
