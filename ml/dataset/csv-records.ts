import { createReadStream } from 'node:fs';
import { pipeline } from 'node:stream/promises';
import { type Readable } from 'node:stream';
import { CsvError, parse, type InfoRecord } from 'csv-parse';
import { RetrainError } from '../../contracts/errors';
import { type CsvFormat, PLAIN_CSV } from './csv-format';
import { guardCsvBytes, MAX_LINE_BYTES, type GuardState } from './csv-guard';
import { damagedGzip } from './gzip-guard';
import { utf8Of } from './transcode';

/** A CSV file by path, or its bytes as a stream. */
export type CsvSource = string | Readable;

/** One row as text, with what an error message needs. */
export interface CsvRecord {
  cells: string[];
  /** 1-based line of a cell, as an editor shows it; rows with quoted line breaks span several. */
  lineOf(cell: number): number;
}

/** Thrown by a visitor that has seen enough. */
export class StopReading extends Error {}

/**
 * Reads CSV (RFC 4180; comma and UTF-8, if `format` says nothing else) record by record in flat memory. Blank lines are skipped; the header is a
 * record like any other; how many cells a record has is the visitor's to check.
 *
 * @param file Name of the file for messages.
 * @param visit Called with every record, in order. Ends the reading early by throwing StopReading.
 * @throws RetrainError DATA_NOT_FOUND for a path that is not there, DATA_INVALID with file, line and column
 * (of `names`, once the visitor has filled it) for what is not CSV.
 */
export async function readCsvRecords(
  source: CsvSource,
  file: string,
  names: readonly string[],
  visit: (record: CsvRecord) => void,
  { separator, quote, encoding }: CsvFormat = PLAIN_CSV,
): Promise<void> {
  const state: GuardState = { invalidUtf8: false };
  let lastLine = 0;
  const onRecord = (cells: string[], info: InfoRecord): null => {
    lastLine = info.lines;
    const record: CsvRecord = { cells, lineOf: (cell) => lineOf(cells, cell, info.lines) };
    if (state.invalidUtf8) refuseInvalidUtf8(record, file, names);
    visit(record);
    return null;
  };
  const parser = parse({
    bom: false,
    delimiter: separator,
    quote,
    escape: quote,
    record_delimiter: '\n',
    relax_column_count: true,
    // A quote inside a cell that does not begin with one is a letter, as for DuckDB and pandas.
    relax_quotes: true,
    skip_empty_lines: true,
    max_record_size: MAX_LINE_BYTES,
    on_record: onRecord,
  });
  const stream = typeof source === 'string' ? createReadStream(source) : source;
  try {
    await pipeline(
      stream,
      (bytes: AsyncIterable<Buffer | string>) =>
        guardCsvBytes(encoding === 'utf-8' ? bytes : utf8Of(bytes, encoding), file, state),
      parser,
      async (records: AsyncIterable<unknown>) => {
        for await (const _ of records) {
          // onRecord returns null, so nothing comes out; reading to the end keeps the pipeline going.
        }
      },
    );
  } catch (error) {
    if (error instanceof StopReading) return;
    throw explained(error, file, names, lastLine + 1);
  }
}

/** The record ends on `lastLine`; its cells hold the line breaks before that. */
function lineOf(cells: readonly string[], cell: number, lastLine: number): number {
  let line = lastLine;
  for (let i = cells.length - 1; i >= Math.min(cell, cells.length); i--) line -= lineBreaks(cells[i] ?? '');
  return line;
}

function lineBreaks(text: string): number {
  let count = 0;
  for (let at = text.indexOf('\n'); at !== -1; at = text.indexOf('\n', at + 1)) count++;
  return count;
}

function refuseInvalidUtf8(record: CsvRecord, file: string, names: readonly string[]): void {
  const cell = record.cells.findIndex((text) => text.includes('\ufffd'));
  if (cell === -1) return;
  throw new RetrainError(
    'DATA_INVALID',
    `${file}:${record.lineOf(cell)}: ${columnLabel(cell, names)} holds bytes that are not UTF-8; save the file as UTF-8, or say what it is (data.csv: { encoding: latin-1 })`,
  );
}

/** `column "age"`, or `column 3` where the name is not known. */
export function columnLabel(cell: number, names: readonly string[]): string {
  const name = names[cell];
  return name === undefined ? `column ${cell + 1}` : `column ${JSON.stringify(name)}`;
}

function explained(error: unknown, file: string, names: readonly string[], recordLine: number): unknown {
  if (error instanceof RetrainError) return error;
  const damaged = damagedGzip(file, error);
  if (damaged !== undefined) return damaged;
  if (error instanceof CsvError) {
    const line = typeof error.lines === 'number' ? error.lines : recordLine;
    const cell = typeof error.index === 'number' ? error.index : 0;
    const column = columnLabel(cell, names);
    switch (error.code) {
      case 'CSV_MAX_RECORD_SIZE':
        return new RetrainError(
          'DATA_INVALID',
          `${file}:${recordLine}: ${column}: the row that starts here is longer than ${MAX_LINE_BYTES / 1024 / 1024} MiB; is a quote left open?`,
        );
      case 'CSV_QUOTE_NOT_CLOSED':
        return new RetrainError(
          'DATA_INVALID',
          `${file}:${recordLine}: ${column}: the row that starts here has a quote that is never closed`,
        );
      default:
        return new RetrainError('DATA_INVALID', `${file}:${line}: ${column}: ${error.message}`, {
          cause: error,
        });
    }
  }
  const code = systemCode(error);
  if (code === 'ENOENT') {
    return new RetrainError('DATA_NOT_FOUND', `${file}: there is no such file; correct data.path`);
  }
  if (code === 'EISDIR') {
    return new RetrainError('DATA_INVALID', `${file}: is a directory, expected a CSV file`);
  }
  return error;
}

function systemCode(error: unknown): unknown {
  return typeof error === 'object' && error !== null && 'code' in error ? error.code : undefined;
}
