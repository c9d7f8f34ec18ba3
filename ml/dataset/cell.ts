/** How a missing value may be written; compared without case and surrounding blanks. */
const MISSING = new Set(['', 'na', 'n/a', 'nan', 'null', 'none']);

const NUMBER = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/;
const INFINITE = /^[+-]?inf(?:inity)?$/i;

/** Largest finite float32: models compare float32. */
export const FLOAT32_MAX = 3.4028234663852886e38;

/** Whether a cell stands for a missing value. */
export function isMissing(cell: string): boolean {
  return cell === '' || (cell.length <= 12 && MISSING.has(cell.trim().toLowerCase()));
}

/** A number, NaN for a missing value, or a few words on what is wrong with the cell. */
export function parseNumber(cell: string): number | string {
  const text = cell.trim();
  if (NUMBER.test(text)) {
    const value = Number(text);
    return Math.abs(value) <= FLOAT32_MAX ? value : 'is beyond the range of float32 (±3.4e38)';
  }
  if (isMissing(text)) return Number.NaN;
  if (INFINITE.test(text)) return 'is infinite, expected a finite number';
  return 'is text, expected a number';
}

/** A cell as it can stand in a message: quoted, cut at 40 characters, no line breaks. */
export function shownCell(cell: string): string {
  return JSON.stringify(cell.length > 40 ? `${cell.slice(0, 40)}…` : cell);
}
