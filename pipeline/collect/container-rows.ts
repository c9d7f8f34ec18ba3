import { constants } from 'node:fs';
import { lstat, mkdir, open, opendir } from 'node:fs/promises';
import path from 'node:path';
import { setImmediate as breathe } from 'node:timers/promises';
import { parseWithin } from '../../contracts/bounded-json';
import { type ContainerSource } from '../../contracts/collect-source';
import { listed, RetrainError } from '../../contracts/errors';
import { answerJson, mostContainers } from '../../integrations/http-source/answer-json';
import { csvRows } from './csv-rows';

/** Names in out/ that are no rows. */
const BESIDE = ['metrics.json', 'error.json'];
const ENDINGS = ['.csv', '.json', '.jsonl', '.parquet'];

/** More files than these are no day of a source. */
const MOST_FILES = 1000;

/** Between two turns of the event loop: a worker's heartbeats go on meanwhile. */
const LINES_PER_TURN = 5000;

/**
 * The rows that a container left in out/, of its files in the order of their names. All of them are looked at before one is read.
 *
 * @param dir folder of the stage contract; the container is gone
 * @param who how messages name the source
 * @throws RetrainError STAGE_UNSAFE for what is no file; SOURCE_INVALID for no file at all, more than may be, or what is not what its name says
 */
export async function containerRows(
  dir: string,
  source: ContainerSource,
  who: string,
  signal: AbortSignal,
): Promise<{ rows: unknown[]; files: number }> {
  const out = path.join(dir, 'out');
  const names = await rowFiles(out, who);
  const rows: unknown[] = [];
  let left = source.max_bytes;
  for (const { name, size } of names) {
    const shown = `${who}: out/${name}`;
    if (size > left) {
      throw invalid(
        `${who} left ${names.reduce((sum, one) => sum + one.size, 0)} bytes in /stage/out, expected at most ${source.max_bytes} (max_bytes); have it leave less, or raise max_bytes; nothing was read`,
      );
    }
    left -= size;
    const room = source.max_rows - rows.length;
    const found = await rowsIn(path.join(out, name), shown, source, room, signal);
    if (found.length > room)
      throw invalid(
        `${who} left more than ${source.max_rows} rows (max_rows); have it leave less, or raise max_rows`,
      );
    for (const row of found) rows.push(row);
  }
  return { rows, files: names.length };
}

async function rowFiles(out: string, who: string): Promise<{ name: string; size: number }[]> {
  const found: { name: string; size: number }[] = [];
  for await (const { name } of await opendir(out)) {
    if (BESIDE.includes(name)) continue;
    const info = await lstat(path.join(out, name));
    const shown = name.length > 60 ? `${name.slice(0, 60)}…` : name;
    if (!info.isFile())
      throw new RetrainError('STAGE_UNSAFE', `${who} left out/${shown}, which is no file; it is not read`);
    if (!ENDINGS.includes(path.extname(name).toLowerCase()))
      throw invalid(
        `${who} left out/${shown}, expected files of rows that end in ${listed(ENDINGS)}; what is none goes to /tmp`,
      );
    found.push({ name, size: info.size });
    if (found.length > MOST_FILES) throw invalid(`${who} left more than ${MOST_FILES} files in /stage/out`);
  }
  if (found.length > 0) return found.sort((a, b) => (a.name < b.name ? -1 : 1));
  throw invalid(
    `${who} ended well and left no file in /stage/out, expected rows in a file such as rows.csv; of a day without rows, one without rows`,
  );
}

async function rowsIn(
  file: string,
  shown: string,
  source: ContainerSource,
  room: number,
  signal: AbortSignal,
): Promise<unknown[]> {
  switch (path.extname(file).toLowerCase()) {
    case '.csv':
      return csvRows(await bytesOf(file, shown), shown, source, room);
    case '.jsonl':
      return linesOf(textOf(await bytesOf(file, shown), shown), shown, room);
    case '.json': {
      const bytes = await bytesOf(file, shown);
      if (textOf(bytes, shown).trim() === '') return [];
      const value = answerJson(bytes, '', room, shown);
      if (Array.isArray(value)) return value as unknown[];
      throw invalid(`${shown} is no list; expected a list of rows, or one row a line in a .jsonl`);
    }
    default: {
      const { parquetRows } = await import('./parquet-rows.js');
      const spillDir = path.join(path.dirname(path.dirname(file)), 'spill');
      await mkdir(spillDir, { recursive: true });
      return parquetRows(file, shown, source, room, { spillDir, signal });
    }
  }
}

/** Follows no link, and waits at no FIFO. */
async function bytesOf(file: string, shown: string): Promise<Buffer> {
  const opened = await open(file, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  try {
    const info = await opened.stat();
    if (!info.isFile()) throw new RetrainError('STAGE_UNSAFE', `${shown} is no file; it is not read`);
    return await opened.readFile();
  } finally {
    await opened.close();
  }
}

function textOf(bytes: Buffer, shown: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (cause) {
    throw invalid(`${shown} is not UTF-8; have the source write UTF-8`, { cause });
  }
}

/** One JSON on each line. */
async function linesOf(text: string, shown: string, room: number): Promise<unknown[]> {
  const opened = text.split(/[[{]/).length - 1;
  if (opened > mostContainers(room))
    throw invalid(`${shown} has more than ${mostContainers(room)} lists and mappings; it is not read`);
  const rows: unknown[] = [];
  for (const [at, line] of text.split('\n').entries()) {
    if (at % LINES_PER_TURN === LINES_PER_TURN - 1) await breathe();
    if (line.trim() === '') continue;
    if (rows.length > room) break;
    try {
      rows.push(
        parseWithin(line, `${shown}:${at + 1}`, {
          characters: Infinity,
          containers: Infinity,
          code: 'SOURCE_INVALID',
        }),
      );
    } catch (error) {
      if (!(error instanceof SyntaxError)) throw error;
      throw invalid(
        `${shown}:${at + 1} is no JSON, in ${line.length} characters that begin with ${JSON.stringify(line.slice(0, 40))}; expected one row a line; nothing was written`,
      );
    }
  }
  return rows;
}

const invalid = (message: string, options?: { cause?: unknown }): RetrainError =>
  new RetrainError('SOURCE_INVALID', message, options);
