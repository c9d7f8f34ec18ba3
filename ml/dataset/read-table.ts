import { RetrainError } from '../../contracts/errors';
import { isMissing, parseNumber, shownCell } from './cell';
import { columnLabel, readCsvRecords, type CsvRecord, type CsvSource } from './csv-records';
import { checkHeader, emptyFile, planColumns, type ColumnChoice, type ColumnPlan } from './header';
import { NumberColumn } from './number-column';

/** Numeric features and text labels, as read; nothing imputed yet. */
export interface Table {
  /** Names of the features, in the file's order. `[d]` */
  features: string[];
  /** Name of the target, after renaming. */
  target: string;
  /** One column of n numbers per feature, NaN where missing. `[d][n]` */
  columns: Float64Array[];
  /** Label of each row, trimmed. `[n]` */
  labels: string[];
}

export interface ReadTableOptions extends ColumnChoice {
  /** Name of the file for messages. */
  file: string;
  /** Whether a missing feature is allowed (and becomes NaN). */
  allowMissing: boolean;
  /** Told now and then how many rows have been read. */
  onProgress?: (rows: number) => void;
}

const PROGRESS_EVERY = 50_000;

/**
 * Reads a CSV file as numeric features and one column of labels.
 *
 * @throws RetrainError DATA_NOT_FOUND, or DATA_INVALID naming file, line and column: no header, no rows, ragged
 * rows, text or an infinity where a number belongs, a missing label, a missing number where none is allowed.
 */
export async function readTable(source: CsvSource, options: ReadTableOptions): Promise<Table> {
  const { file } = options;
  const header: string[] = [];
  const columns: NumberColumn[] = [];
  const labels: string[] = [];
  const sharedLabels = new Map<string, string>();
  let plan: ColumnPlan | undefined;

  await readCsvRecords(source, file, header, (record) => {
    if (plan === undefined) {
      header.push(...checkHeader(record.cells, file, options.target));
      plan = planColumns(header, file, options);
      for (let f = 0; f < plan.positions.length; f++) columns.push(new NumberColumn());
      return;
    }
    requireWidth(record, header, file);
    for (const [f, at] of plan.positions.entries()) columns[f]?.push(numberAt(record, at, header, options));
    const label = labelAt(record, plan.targetPosition, header, file);
    // A label cut out of a chunk would keep the chunk alive, and equal labels would be stored n times.
    let shared = sharedLabels.get(label);
    if (shared === undefined) sharedLabels.set(label, (shared = label));
    labels.push(shared);
    if (labels.length % PROGRESS_EVERY === 0) options.onProgress?.(labels.length);
  });

  if (plan === undefined) throw emptyFile(file);
  if (labels.length === 0) {
    throw new RetrainError('DATA_INVALID', `${file}:2: there is a header but no row; expected rows below it`);
  }
  return {
    features: plan.features,
    target: plan.targetName,
    columns: columns.map((column) => column.values),
    labels,
  };
}

function requireWidth(record: CsvRecord, header: readonly string[], file: string): void {
  const { cells } = record;
  if (cells.length === header.length) return;
  const what =
    cells.length < header.length
      ? `${columnLabel(cells.length, header)} and what follows is missing`
      : `cell ${header.length + 1} has no column`;
  throw new RetrainError(
    'DATA_INVALID',
    `${file}:${record.lineOf(0)}: the row has ${cells.length} cells, expected ${header.length} as in the header; ${what}`,
  );
}

function numberAt(
  record: CsvRecord,
  at: number,
  header: readonly string[],
  options: ReadTableOptions,
): number {
  const cell = record.cells[at] ?? '';
  const value = parseNumber(cell);
  if (typeof value === 'string') {
    throw new RetrainError(
      'DATA_INVALID',
      `${options.file}:${record.lineOf(at)}: ${columnLabel(at, header)}: ${shownCell(cell)} ${value}`,
    );
  }
  if (Number.isNaN(value) && !options.allowMissing) {
    throw new RetrainError(
      'DATA_INVALID',
      `${options.file}:${record.lineOf(at)}: ${columnLabel(at, header)}: the value is missing (${shownCell(cell)}), and preprocess.impute is refuse; impute it (median, mean, …) or fill it in`,
    );
  }
  return value;
}

function labelAt(record: CsvRecord, at: number, header: readonly string[], file: string): string {
  const label = (record.cells[at] ?? '').trim();
  if (!isMissing(label)) return label;
  throw new RetrainError(
    'DATA_INVALID',
    `${file}:${record.lineOf(at)}: ${columnLabel(at, header)}: the target is missing (${shownCell(label)}); every row needs a label`,
  );
}
