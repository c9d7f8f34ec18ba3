import { MISSING_WORDS } from '../../contracts/missing-words';

const NUMBER = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/;
const INFINITE = /^[+-]?inf(?:inity)?$/i;

/** What pandas and R take for truth values, and the numbers that they become. */
export const TRUTH: Readonly<Record<string, number>> = {
  True: 1,
  true: 1,
  TRUE: 1,
  False: 0,
  false: 0,
  FALSE: 0,
};

/** Largest finite float32: models compare float32. */
export const FLOAT32_MAX = 3.4028234663852886e38;

/** How the cells of a table are to be read. */
export class CellRules {
  readonly missing: ReadonlySet<string>;

  /**
   * @param missing How a missing value is written.
   * @param decimal What stands between the whole and the fraction of a number: a dot or a comma.
   */
  constructor(
    missing: readonly string[] = MISSING_WORDS,
    readonly decimal: '.' | ',' = '.',
  ) {
    this.missing = new Set(missing.map((word) => word.trim()));
  }

  /** Whether a cell stands for a missing value. */
  isMissing(cell: string): boolean {
    return this.missing.has(cell) || this.missing.has(cell.trim());
  }

  /** A number (of a truth value: 1 or 0), NaN for a missing value, or a few words on what is wrong with the cell. */
  parseNumber(cell: string): number | string {
    const text = cell.trim();
    if (this.missing.has(text)) return Number.NaN;
    const plain = this.decimal === '.' ? text : text.includes('.') ? '' : text.replace(',', '.');
    if (NUMBER.test(plain)) {
      const value = Number(plain);
      return Math.abs(value) <= FLOAT32_MAX ? value : 'is beyond the range of float32 (±3.4e38)';
    }
    if (Object.hasOwn(TRUTH, text)) return TRUTH[text] ?? Number.NaN;
    if (INFINITE.test(text)) return 'is infinite, expected a finite number';
    return 'is text, expected a number';
  }
}

/** A cell as it can stand in a message: quoted, cut at 40 characters, no line breaks. */
export function shownCell(cell: string): string {
  return JSON.stringify(cell.length > 40 ? `${cell.slice(0, 40)}…` : cell);
}
