import { lstatSync, openSync, readdirSync, readFileSync, readSync, closeSync, statSync } from 'node:fs';
import { join } from 'node:path';

/** From here, what a process costs (0.3 s) does not show beside what the stage takes anyway. */
const LARGE_BYTES = 128 << 20;

/** Compressed tables are usually not larger than this many times their size. */
const EXPANSION = 16;

const PARQUET_THAT_WE_WROTE = /\.parquet$/;

/** Where a stage in process is to run, and why. */
export interface StagePlace {
  place: 'thread' | 'process';
  /** SQL of params.yaml runs in it. */
  sql: boolean;
}

/**
 * A stage runs in a thread while its data are small, and in a bounded process of its own when they are large, or when
 * somebody else's SQL runs in it: native code in a thread can be neither stopped nor bounded.
 */
export function stagePlace(stage: string, dir: string): StagePlace {
  const sql = stage === 'preprocess' && hasSql(join(dir, 'params.json'));
  return { place: sql || inputBytes(join(dir, 'in')) >= LARGE_BYTES ? 'process' : 'thread', sql };
}

function hasSql(file: string): boolean {
  const { preprocess } = JSON.parse(readFileSync(file, 'utf8')) as {
    preprocess?: { sql?: unknown; filter?: unknown };
  };
  return preprocess?.sql !== undefined || preprocess?.filter !== undefined;
}

/** Size of the inputs, unpacked as far as one can guess; stops counting once it is enough. */
function inputBytes(folder: string): number {
  let bytes = 0;
  const folders = [folder];
  for (let next = folders.pop(); next !== undefined && bytes < LARGE_BYTES; next = folders.pop()) {
    for (const entry of readdirSync(next, { withFileTypes: true })) {
      const path = join(next, entry.name);
      const status = lstatSync(path).isSymbolicLink() ? statSync(path) : lstatSync(path);
      if (status.isDirectory()) folders.push(path);
      else if (status.isFile()) bytes += status.size * (isCompressed(path) ? EXPANSION : 1);
    }
  }
  return bytes;
}

function isCompressed(path: string): boolean {
  if (PARQUET_THAT_WE_WROTE.test(path)) return false;
  const fd = openSync(path, 'r');
  try {
    const head = Buffer.alloc(4);
    readSync(fd, head, 0, 4, 0);
    return (head[0] === 0x1f && head[1] === 0x8b) || head.toString('latin1') === 'PAR1';
  } finally {
    closeSync(fd);
  }
}
