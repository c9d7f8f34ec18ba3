import { csvFormat, type ReadingRules } from '../../ml/dataset/csv-format';
import { type DataFile, dataFiles } from '../../ml/dataset/data-files';
import { withDuckDb } from '../../ml/dataset/duckdb/session';
import { requireWholeGzip } from '../../ml/dataset/gzip-guard';
import { type Column } from '../../ml/dataset/raw-table';
import { asUtf8 } from '../../ml/dataset/transcode';
import { relabelled } from '../../pipeline/run/relabelled';
import { type ModelField } from '../model/served-model';
import { matchColumns } from '../tables/match-columns';
import { type TableSource } from '../tables/table-query';
import { withSpillFolder } from '../tables/spill-folder';
import { mayBeTyped, NotTyped, openSource, readBatches } from '../tables/table-source';
import { RowSample } from './row-sample';

/** A table to be sampled. */
export interface TableToSample {
  /** File or folder, absolute. */
  path: string;
  /** Its name for messages. */
  shown: string;
  pattern?: string | undefined;
  rules?: ReadingRules | undefined;
  aliases?: Readonly<Record<string, string>> | undefined;
  /** See `matchColumns`. */
  made?: string | undefined;
}

/** A sample of a table's rows. */
export interface SampledTable {
  /** A column for each field that the table has, in their order. */
  columns: Column[];
  /** Rows that are in the sample. */
  rows: number;
  /** Rows of the table. */
  of: number;
  /** `[rows]` which row of the table each is, from 0. */
  positions: Uint32Array;
}

interface SampleOptions {
  seed: number;
  signal: AbortSignal;
  onRows?: (rows: number) => void;
}

/** Memory for DuckDB; what it reads goes through in pieces. */
const DUCKDB_BYTES = 160 << 20;

/** Memory that what is unzipped may claim: none of it is kept. */
const UNZIPPED_BYTES = 64 * 2 ** 30;

/**
 * Reads a table of any size as `retrain predict` does, columns found by the same rules, and keeps a sample of its rows. A cell that is
 * missing is none that a model refuses: that it is missing is what is asked.
 *
 * @throws RetrainError DATA_NOT_FOUND, DATA_INVALID naming row and column
 */
export async function sampleTable(
  table: TableToSample,
  fields: readonly ModelField[],
  options: SampleOptions,
): Promise<SampledTable> {
  const { shown } = table;
  const files = await dataFiles(table.path, shown, table.pattern).catch((error: unknown) => {
    // There is no data.path here.
    throw relabelled(error, table.path, shown, 'the path');
  });
  return withSpillFolder((spillDir) => sampleFiles(files, table, fields, { ...options, spillDir }));
}

async function sampleFiles(
  files: readonly DataFile[],
  table: TableToSample,
  fields: readonly ModelField[],
  { seed, signal, onRows, spillDir }: SampleOptions & { spillDir: string },
): Promise<SampledTable> {
  const { rules = {}, shown } = table;
  try {
    for (const data of files) await requireWholeGzip(data, UNZIPPED_BYTES, signal);
    const utf8 = await asUtf8(files, csvFormat(rules), spillDir);
    const session = { spillDir, signal, memoryBytes: DUCKDB_BYTES };
    const paths = utf8.map((file) => file.path);
    return await withDuckDb(session, { anyQuery: false, paths }, async (connection) => {
      const source = await openSource(connection, utf8, shown, rules);
      const read = (typed: boolean): Promise<SampledTable> =>
        sampled(source, table, fields, { typed, seed, signal, onRows });
      try {
        return await read(await mayBeTyped(source));
      } catch (error) {
        if (!(error instanceof NotTyped)) throw error;
        return await read(false);
      }
    });
  } catch (error) {
    // Whatever the abort made fail.
    throw signal.aborted ? signal.reason : error;
  }
}

async function sampled(
  source: TableSource,
  { shown, aliases, made }: TableToSample,
  fields: readonly ModelField[],
  {
    typed,
    seed,
    signal,
    onRows,
  }: { typed: boolean; seed: number; signal: AbortSignal; onRows: ((rows: number) => void) | undefined },
): Promise<SampledTable> {
  const lenient = fields.map((field) => ({ ...field, nullable: true }));
  const match = matchColumns(source.names, lenient, shown, aliases, made);
  const there = match.fields.map(({ column }) => column !== null);
  const own = fields.filter((_, f) => there[f]);
  const sample = new RowSample(
    own.map(({ name, type }) => ({ name, kind: type === 'text' ? 'text' : 'number' })),
    seed,
  );
  for await (const { rows, columns } of readBatches(source, { match, kept: [], typed, inUse: 1 })) {
    signal.throwIfAborted();
    const read = columns.filter((_, f) => there[f]);
    let row = 0;
    const numberOf = (c: number): number => {
      const column = read[c]!;
      return column.kind === 'number' ? column.values[row]! : Number.NaN;
    };
    const textOf = (c: number): string | null => {
      const column = read[c]!;
      return column.kind === 'text' ? (column.levels[column.codes[row]!] ?? null) : null;
    };
    for (; row < rows; row++) sample.add(numberOf, textOf);
    onRows?.(sample.of);
  }
  return { columns: sample.finish(), rows: sample.rows, of: sample.of, positions: sample.positions };
}
