import { rm, stat } from 'node:fs/promises';
import path from 'node:path';
import {
  entriesOf,
  isManifest,
  LARGE_ROWS,
  listSegments,
  manifestOf,
  newSegment,
  readManifest,
  type Segment,
  targetOf,
} from './day-folder';
import { type Cell, type FileColumn, readParquet, writeParquet, writeWhole } from './parquet-file';

/** A merged file has at most so many rows and bytes: what is held in memory at a time. */
const MOST_ROWS = 100_000;
const MOST_BYTES = 16 << 20;
/** Of files of like size so many are merged while a day goes on, so that a row is written again three times at most. */
const FAN_IN = 32;
/** What a writer that died left half written; nobody writes for so long. */
const STALE_MS = 60 * 60 * 1000;

/**
 * Merges the small files of a folder. Whoever calls it holds the log's lock. A process that dies anywhere in it leaves no row out and
 * none twice: the merged file comes to stand for its sources by one rename, and a note written before says which these are; the next
 * call removes them.
 *
 * @param over the day is over: leave as few files as can be
 */
export async function mergeSegments(folder: string, over: boolean, now: number): Promise<void> {
  await clearLeftOvers(folder, now);
  for (const group of groupsOf(await listSegments(folder), over)) {
    const sources = await thatFit(group);
    if (sources.length > 1) await mergeGroup(folder, sources, now);
  }
}

/** Files to be merged into one each. */
function groupsOf(segments: readonly Segment[], over: boolean): Segment[][] {
  const small = segments.filter(({ rows }) => rows < LARGE_ROWS);
  const bySize = new Map<number, Segment[]>();
  for (const segment of small) {
    const size = over ? 0 : Math.floor(Math.log(Math.max(1, segment.rows)) / Math.log(FAN_IN));
    bySize.set(size, [...(bySize.get(size) ?? []), segment]);
  }
  return [...bySize.values()].filter((group) => group.length >= (over ? 2 : FAN_IN)).flatMap(cut);
}

/** Cuts a group into such as are not too large when they are one. */
function cut(group: readonly Segment[]): Segment[][] {
  const groups: Segment[][] = [];
  let rows = Infinity;
  for (const segment of group) {
    if (rows + segment.rows > MOST_ROWS) {
      groups.push([]);
      rows = 0;
    }
    groups.at(-1)?.push(segment);
    rows += segment.rows;
  }
  return groups;
}

/** The first of them that are not too many bytes together; at least one. */
async function thatFit(group: readonly Segment[]): Promise<Segment[]> {
  const fitting: Segment[] = [];
  let bytes = 0;
  for (const segment of group) {
    bytes += (await stat(segment.file)).size;
    if (fitting.length > 0 && bytes > MOST_BYTES) break;
    fitting.push(segment);
  }
  return fitting;
}

async function mergeGroup(folder: string, sources: readonly Segment[], now: number): Promise<void> {
  const columns = await concatenated(sources);
  const target = newSegment(folder, columns[0]?.data.length ?? 0, now);
  const manifest = manifestOf(target);
  await writeWhole(manifest, Buffer.from(sources.map(({ file }) => path.basename(file)).join('\n')));
  await writeParquet(target.file, columns);
  for (const { file } of sources) await rm(file, { force: true });
  await rm(manifest, { force: true });
}

/** Rows of all files, one after the other; a column that a file has not is missing in its rows. */
async function concatenated(sources: readonly Segment[]): Promise<FileColumn[]> {
  const all = new Map<string, { name: string; type: FileColumn['type']; data: Cell[] }>();
  let before = 0;
  for (const source of sources) {
    const columns = await readParquet(source.file);
    const rows = [...columns.values()][0]?.data.length ?? 0;
    for (const { name, type, data } of columns.values()) {
      const to = all.get(name) ?? { name, type, data: new Array<Cell>(before).fill(null) };
      all.set(name, to);
      // One version has one type for each column; if files disagree all the same, both can be said as texts.
      if (to.type !== type && to.type !== 'STRING') {
        to.data = to.data.map(asText);
        to.type = 'STRING';
      }
      for (let row = 0; row < rows; row += 1) {
        const cell = data[row] ?? null;
        to.data.push(to.type === type ? cell : asText(cell));
      }
    }
    before += rows;
    for (const { data } of all.values()) while (data.length < before) data.push(null);
  }
  return [...all.values()];
}

function asText(cell: Cell): string | null {
  if (cell === null) return null;
  return cell instanceof Date ? cell.toISOString() : String(cell);
}

/** Ends what a writer that died has begun: merges whose sources are still there, files half written. */
async function clearLeftOvers(folder: string, now: number): Promise<void> {
  const names = await entriesOf(folder);
  for (const manifest of names.filter(isManifest)) {
    if (names.includes(targetOf(manifest))) {
      for (const name of await readManifest(path.join(folder, manifest))) {
        await rm(path.join(folder, name), { force: true });
      }
    }
    await rm(path.join(folder, manifest), { force: true });
  }
  for (const name of names.filter((one) => one.startsWith('.') && one.endsWith('.tmp'))) {
    const file = path.join(folder, name);
    const found = await stat(file).catch(() => null);
    if (found !== null && now - found.mtimeMs > STALE_MS) await rm(file, { force: true });
  }
}
