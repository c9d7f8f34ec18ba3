import { RetrainError } from '../../contracts/errors';
import { isMissing, parseNumber, shownCell } from './cell';
import { finished, NumberBuilder, TextBuilder, type ColumnBuilder } from './column-builder';
import { type ColumnChoice, type ColumnPlan, planColumns, type PlannedColumn } from './column-plan';
import { columnLabel, readCsvRecords, type CsvRecord, type CsvSource } from './csv-records';
import { checkHeader, emptyFile } from './header-line';
import { type RawTable } from './raw-table';

/** One CSV file: its path or bytes, and its name for messages. */
export interface CsvInput {
  source: CsvSource;
  file: string;
}

export interface ReadOptions {
  choice: ColumnChoice;
  /** Whether a missing feature is allowed (and becomes NaN or -1). */
  allowMissing: boolean;
  /** Told now and then how many rows have been read. */
  onProgress?: (rows: number) => void;
}

/** What was read, and by which plan. */
export interface ReadResult {
  table: RawTable;
  plan: ColumnPlan;
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
  for (const input of inputs) {
    const header: string[] = [];
    await readCsvRecords(input.source, input.file, header, (record) => {
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
      readRow(record, header, plan?.columns ?? [], builders, input.file, options.allowMissing);
      if (++rows % PROGRESS_EVERY === 0) options.onProgress?.(rows);
    });
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

function readRow(
  record: CsvRecord,
  header: readonly string[],
  columns: readonly PlannedColumn[],
  builders: readonly ColumnBuilder[],
  file: string,
  allowMissing: boolean,
): void {
  const { cells } = record;
  if (cells.length !== header.length) throw ragged(record, header, file);
  for (const [f, column] of columns.entries()) {
    const cell = cells[column.position] ?? '';
    const builder = builders[f];
    const problem =
      builder instanceof NumberBuilder
        ? pushNumber(cell, column, builder, allowMissing)
        : builder === undefined
          ? undefined
          : pushText(cell, column, builder, allowMissing);
    if (problem === undefined) continue;
    throw new RetrainError(
      'DATA_INVALID',
      `${file}:${record.lineOf(column.position)}: ${columnLabel(column.position, header)}: ${problem}`,
    );
  }
}

function pushNumber(
  cell: string,
  { role }: PlannedColumn,
  builder: NumberBuilder,
  allowMissing: boolean,
): string | undefined {
  const value = parseNumber(cell);
  if (typeof value === 'string') return `${shownCell(cell)} ${value}`;
  if (Number.isNaN(value)) {
    if (role === 'target') return missingTarget(cell);
    if (role === 'feature' && !allowMissing) return missingNumber(shownCell(cell));
  }
  builder.push(value);
  return undefined;
}

function pushText(
  cell: string,
  { role }: PlannedColumn,
  builder: TextBuilder,
  allowMissing: boolean,
): string | undefined {
  const text = cell.trim();
  const missing = isMissing(text);
  if (missing && role === 'target') return missingTarget(cell);
  if (missing && role === 'feature' && !allowMissing) return missingNumber(shownCell(cell));
  builder.push(missing ? undefined : text);
  return undefined;
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
