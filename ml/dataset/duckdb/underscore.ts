import { open } from 'node:fs/promises';
import { type DataFile } from '../data-files';

const BLOCK = 1 << 20;
const UNDERSCORE = '_'.charCodeAt(0);
const LINE_FEED = 0x0a;

/**
 * Whether a file holds an underscore below its first line (or may, as it is compressed): DuckDB's scan takes `1_000`
 * for a number, which no other reader does. Takes 1 % of the time of the scan.
 */
export async function holdsUnderscore(files: readonly DataFile[]): Promise<boolean> {
  for (const { path, gzip } of files) {
    if (gzip) return true;
    const handle = await open(path);
    try {
      const buffer = Buffer.allocUnsafe(BLOCK);
      let inHeader = true;
      for (;;) {
        const { bytesRead } = await handle.read(buffer, 0, BLOCK, null);
        if (bytesRead === 0) break;
        let block = buffer.subarray(0, bytesRead);
        if (inHeader) {
          const end = block.indexOf(LINE_FEED);
          inHeader = end === -1;
          block = end === -1 ? block.subarray(0, 0) : block.subarray(end);
        }
        if (block.includes(UNDERSCORE)) return true;
      }
    } finally {
      await handle.close();
    }
  }
  return false;
}
