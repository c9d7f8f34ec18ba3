import { RetrainError } from '../../contracts/errors';
import { type CellRules, shownCell } from './cell';
import { finished, NumberBuilder, TextBuilder, type ColumnBuilder } from './column-builder';
import { type ColumnChoice, type ColumnPlan, planColumns, type PlannedColumn } from './column-plan';
import { cellRules, csvFormat, type ReadingRules } from './csv-format';
import { columnLabel, readCsvRecords, StopReading, type CsvRecord, type CsvSource } from './csv-records';
import { checkHeader, emptyFile } from './header-line';
import { requireRoom } from './room';
import { type RawTable } from './raw-table';

/** One CSV file: its path or bytes, and its name for messages. */
export interface CsvInput {
  source: CsvSource;
  file: string;
}

export interface ReadOptions extends ReadingRules {
  choice: ColumnChoice;
  /** Whether a missing feature is allowed (and becomes NaN or -1). */
  allowMissing: boolean;
  /** Told now and then how many rows have been read. */
  onProgress?: (rows: number) => void;
  /** Read no more than this many rows. */
  look?: number | undefined;
  /** What the stage may take; absent: anything. */
  memoryBytes?: number;
}

/** Text where a number belongs: whoever reads may look at all columns, and say more. */
export class NotNumbersError extends RetrainError {
  constructor(message: string) {
    super('DATA_INVALID', message);
  }
}

/** What was read, and by which plan. */
export interface ReadResult {
  table: RawTable;
  plan: ColumnPlan;
  /** Columns whose cells were numbers, times or truth values before they were read, and no texts; absent: none was. */
  typed?: ReadonlySet<string>;
}

const PROGRESS_EVERY = 50_000;

/**
 * Reads CSV files with the same columns as one table, in flat memory but for the columns themselves.
 *
 * @param file Name of the whole for messages.
 * @throws RetrainError DATA_NOT_FOUND, or DATA_INVALID naming file, line and column: no header, no rows, ragged
 * rows, text or an infinity where a number belongs, a missing target, a missing number where none is allowed.
 */
export async function readCsvTable(
  inputs: readonly CsvInput[],
  file: string,
  options: ReadOptions,
): Promise<ReadResult> {
  let plan: ColumnPlan | undefined;
  let builders: ColumnBuilder[] = [];
  let rows = 0;
  const rules = cellRules(options);
  const format = csvFormat(options);
  const most = options.look ?? Infinity;
  for (const input of inputs) {
    if (rows >= most) break;
    const header: string[] = [];
    const visit = (record: CsvRecord): void => {
      if (header.length === 0) {
        header.push(...checkHeader(record.cells, input.file, options.choice.target));
        if (plan === undefined) {
          plan = planColumns(header, input.file, options.choice);
          builders = plan.columns.map(({ kind, name }) =>
            kind === 'number' ? new NumberBuilder(name) : new TextBuilder(name),
          );
        } else requireSameHeader(header, plan.header, input.file, inputs[0]?.file ?? file);
        return;
      }
      readRow(
        record,
        { ...{ header, builders, rules }, columns: plan?.columns ?? [], file: input.file },
        options.allowMissing,
      );
      if (++rows % PROGRESS_EVERY === 0) {
        requireRoom(file, rows, builders.length, options.memoryBytes);
        options.onProgress?.(rows);
      }
      if (rows >= most) throw new StopReading();
    };
    await readCsvRecords(input.source, input.file, header, visit, format);
    if (header.length === 0) throw emptyFile(input.file);
  }
  if (plan === undefined || rows === 0) {
    throw new RetrainError(
      'DATA_INVALID',
      `${inputs[0]?.file ?? file}:2: there is a header but no row; expected rows below it`,
    );
  }
  return { table: { file, rows, columns: finished(builders) }, plan };
}

/** @throws RetrainError DATA_INVALID when two files of a table have different columns. */
export function requireSameHeader(
  header: readonly string[],
  expected: readonly string[],
  file: string,
  first: string,
): void {
  const at = Array.from({ length: Math.max(header.length, expected.length) }, (_, i) => i).find(
    (i) => header[i] !== expected[i],
  );
  if (at === undefined) return;
  throw new RetrainError(
    'DATA_INVALID',
    `${file}:1: column ${at + 1} is "${header[at] ?? 'missing'}", expected "${expected[at] ?? 'nothing'}" as in ${first}`,
  );
}

/** Where the cells of a row go. */
interface Destination {
  header: readonly string[];
  columns: readonly PlannedColumn[];
  builders: readonly ColumnBuilder[];
  rules: CellRules;
  file: string;
}

function readRow(record: CsvRecord, into: Destination, allowMissing: boolean): void {
  const { cells } = record;
  const { header, columns, builders, rules, file } = into;
  if (cells.length !== header.length) throw ragged(record, header, file);
  for (let f = 0; f < columns.length; f++) {
    const column = columns[f]!;
    const cell = cells[column.position] ?? '';
    const builder = builders[f]!;
    const place = (): string =>
      `${file}:${record.lineOf(column.position)}: ${columnLabel(column.position, header)}: `;
    if (builder instanceof NumberBuilder) {
      const value = rules.parseNumber(cell);
      if (typeof value === 'string') throw new NotNumbersError(`${place()}${shownCell(cell)} ${value}`);
      if (Number.isNaN(value)) requireMayMiss(cell, column, allowMissing, place);
      builder.push(value);
    } else {
      const text = cell.trim();
      const missing = rules.isMissing(text);
      if (missing) requireMayMiss(cell, column, allowMissing, place);
      builder.push(missing ? undefined : text);
    }
  }
}

function requireMayMiss(
  cell: string,
  { role }: PlannedColumn,
  allowMissing: boolean,
  place: () => string,
): void {
  if (role === 'target') throw new RetrainError('DATA_INVALID', `${place()}${missingTarget(cell)}`);
  if (role === 'feature' && !allowMissing) {
    throw new RetrainError('DATA_INVALID', `${place()}${missingNumber(shownCell(cell))}`);
  }
}

const missingTarget = (cell: string): string =>
  `the target is missing (${shownCell(cell)}); every row needs one, so fill it in or leave the row out (preprocess.filter)`;

/** What is wrong with a missing number under `preprocess.impute: refuse`. */
export const missingNumber = (shown: string): string =>
  `the value is missing (${shown}), and preprocess.impute is refuse; impute it (median, mean, …) or fill it in`;

function ragged(record: CsvRecord, header: readonly string[], file: string): RetrainError {
  const count = record.cells.length;
  const what =
    count < header.length
      ? `${columnLabel(count, header)} and what follows is missing`
      : `cell ${header.length + 1} has no column`;
  return new RetrainError(
    'DATA_INVALID',
    `${file}:${record.lineOf(0)}: the row has ${count} cells, expected ${header.length} as in the header; ${what}`,
  );
}
