import { RetrainError } from '../../contracts/errors';
import { type RawTable, textAt, type TextColumn } from './raw-table';

/** The time of each row. */
export interface Moments {
  /** `[n]` days since 1970-01-01 where the column holds dates, else the numbers that it holds. */
  values: Float64Array;
  unit: 'day' | 'number';
}

const DAY_MS = 86_400_000;

/**
 * Reads the column that orders the rows of a split by time: numbers, or dates as `Date.parse` takes them.
 *
 * @throws RetrainError DATA_INVALID naming the first row without a time, and for a column that holds both dates and numbers
 */
export function momentsOf(table: RawTable, column: TextColumn): Moments {
  const values = new Float64Array(table.rows);
  let unit: Moments['unit'] | undefined;
  for (let row = 0; row < table.rows; row++) {
    const text = textAt(column, row);
    const number = text === undefined || text.trim() === '' ? Number.NaN : Number(text);
    const isNumber = !Number.isNaN(number);
    const value = isNumber ? number : Date.parse(text ?? '') / DAY_MS;
    if (!Number.isFinite(value)) {
      throw wrong(
        table,
        column,
        row,
        `${shown(text)} is no time, expected a number or a date such as 2024-05-31`,
      );
    }
    const here = isNumber ? 'number' : 'day';
    unit ??= here;
    if (unit !== here) {
      throw wrong(
        table,
        column,
        row,
        `${shown(text)} is a ${isNumber ? 'number' : 'date'}, and rows before it hold ${isNumber ? 'dates' : 'numbers'}; write all of them in one way`,
      );
    }
    values[row] = value;
  }
  return { values, unit: unit ?? 'number' };
}

const shown = (text: string | undefined): string => JSON.stringify((text ?? '').slice(0, 60));

function wrong(table: RawTable, { name }: TextColumn, row: number, what: string): RetrainError {
  return new RetrainError(
    'DATA_INVALID',
    `${table.file}: row ${table.rowNumbers?.[row] ?? row + 1}, column "${name}": ${what}`,
  );
}

/** Sums of times are right to the last few of 53 bits. */
const ROUNDING = 1e-12;

/** Whether a row is more than the gap before the first one that is held out. Just so much is not more, whatever the sum rounds to. */
export function isBeforeGap(time: number, gap: number, first: number): boolean {
  return gap === 0 || first - (time + gap) > ROUNDING * Math.abs(first);
}
