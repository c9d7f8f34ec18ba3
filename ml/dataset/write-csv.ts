import { closeSync, openSync, writeFileSync } from 'node:fs';
import { float32Text } from './float32-text';

const BATCH_CHARACTERS = 1 << 20;

/**
 * Writes rows of a table as CSV: the features in order, then the target; LF, UTF-8, numbers that read back as
 * the same float32. Synchronous: it runs in a stage's own thread.
 *
 * @param columns `[d][n]`; NaN becomes an empty cell.
 * @param rows Which rows, in this order.
 */
export function writeCsv(
  path: string,
  header: readonly string[],
  columns: readonly ArrayLike<number>[],
  labelOf: (row: number) => string,
  rows: Uint32Array,
): void {
  const file = openSync(path, 'w');
  try {
    let batch = `${header.map(quoted).join(',')}\n`;
    for (const row of rows) {
      for (const column of columns) batch += `${float32Text(column[row] ?? Number.NaN)},`;
      batch += `${quoted(labelOf(row))}\n`;
      if (batch.length >= BATCH_CHARACTERS) {
        writeFileSync(file, batch);
        batch = '';
      }
    }
    writeFileSync(file, batch);
  } finally {
    closeSync(file);
  }
}

function quoted(text: string): string {
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
