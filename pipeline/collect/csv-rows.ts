import { Readable } from 'node:stream';
import { type CellType } from '../../contracts/collect-columns';
import { type ContainerSource } from '../../contracts/collect-source';
import { RetrainError } from '../../contracts/errors';
import { readCsvRecords, StopReading } from '../../ml/dataset/csv-records';
import { columnsOf } from './fit-rows';

/** As databases write them. */
const TRUTH: Readonly<Record<string, boolean>> = { true: true, t: true, false: false, f: false };

/**
 * Rows of a CSV file with a header, as mappings. An empty cell is nothing; numbers stay texts, which columns of numbers take.
 *
 * @param room rows that it may have; it is read one row further
 * @throws RetrainError SOURCE_INVALID for what is no CSV, or has rows of another length than its header
 */
export async function csvRows(
  bytes: Buffer,
  shown: string,
  source: ContainerSource,
  room: number,
): Promise<unknown[]> {
  const types = typesOf(source);
  const rows: Record<string, unknown>[] = [];
  const names: string[] = [];
  const invalid = (what: string): RetrainError =>
    new RetrainError('SOURCE_INVALID', `${shown}${what}; nothing was written`);
  try {
    await readCsvRecords(Readable.from(parts(bytes)), shown, names, (record) => {
      const { cells } = record;
      if (names.length === 0) {
        const twice = cells.find((name, at) => cells.indexOf(name) !== at);
        if (twice !== undefined)
          throw invalid(`:1 has the column ${JSON.stringify(twice.slice(0, 60))} twice`);
        names.push(...cells);
        return;
      }
      if (cells.length !== names.length)
        throw invalid(
          `:${record.lineOf(0)} has ${cells.length} cells, expected ${names.length}, as its header has; was it cut off?`,
        );
      if (rows.length > room) throw new StopReading();
      rows.push(
        Object.fromEntries(names.map((name, at) => [name, cellOf(cells[at] ?? '', types.get(name))])),
      );
    });
  } catch (error) {
    if (!(error instanceof RetrainError) || error.code !== 'DATA_INVALID') throw error;
    // Of training data it says what params.yaml can do about it, which is nothing here.
    throw new RetrainError('SOURCE_INVALID', error.message.split('; ')[0] ?? '', { cause: error });
  }
  return rows;
}

/** A stream of one piece would be cleaned in one turn of the event loop. */
function* parts(bytes: Buffer): Generator<Buffer> {
  const size = 64 << 10;
  for (let from = 0; from < bytes.length; from += size) yield bytes.subarray(from, from + size);
}

/** Types of the columns by their names in the file. */
export function typesOf(source: ContainerSource): Map<string, CellType> {
  return new Map(
    columnsOf(source).map(([name, { type, at }]) => [
      at === undefined ? name : at.slice(1).replaceAll('~1', '/').replaceAll('~0', '~'),
      type,
    ]),
  );
}

function cellOf(text: string, type: CellType | undefined): string | boolean | null {
  if (text === '') return null;
  return type === 'boolean' ? (TRUTH[text.toLowerCase()] ?? text) : text;
}
