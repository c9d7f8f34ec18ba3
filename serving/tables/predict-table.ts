import path from 'node:path';
import { RetrainError } from '../../contracts/errors';
import { nearest } from '../../contracts/nearest';
import { csvFormat, type ReadingRules } from '../../ml/dataset/csv-format';
import { type DataFile, dataFiles } from '../../ml/dataset/data-files';
import { withDuckDb } from '../../ml/dataset/duckdb/session';
import { requireWholeGzip } from '../../ml/dataset/gzip-guard';
import { asUtf8 } from '../../ml/dataset/transcode';
import { digestData } from '../../pipeline/run/digest-data';
import { relabelled } from '../../pipeline/run/relabelled';
import { type ServedModel } from '../model/served-model';
import { abortOf } from './abort-of';
import { requireNoClash } from './answer-columns';
import { type BatchScorer, batchScorer } from './batch-scorer';
import { Judgement, Overruled } from './judgement';
import { matchColumns } from './match-columns';
import { type OutColumn, type TableOut } from './out-column';
import { formatOf, OutFile } from './out-file';
import { ParquetOut } from './parquet-out';
import { withSpillFolder } from './spill-folder';
import { type TableBatch } from './table-batch';
import { type TableSource } from './table-query';
import { mayBeTyped, NotTyped, openSource, readBatches } from './table-source';
import { CsvOut, JsonLinesOut } from './text-out';

/** A table, a model, and where the answers go. */
export interface TableWork {
  /** File or folder, absolute. */
  dataPath: string;
  /** Its name for messages. */
  file: string;
  /** Which files of a folder; absent: all. */
  pattern?: string | undefined;
  /** How CSV is written. */
  rules?: ReadingRules | undefined;
  model: ServedModel;
  /** Where onnxruntime is still asked about it: the one whose answers count. Nothing is there under its name before. */
  judged?: Promise<ServedModel> | undefined;
  /** What the model is, for the file's metadata: name, version, run, hashes. */
  about: Readonly<Record<string, string>>;
  /** Column of the model by another name in the table. */
  aliases?: Readonly<Record<string, string>> | undefined;
  /** Where the answers go, absolute; its ending tells the format: .parquet, .csv, .jsonl. */
  out: string;
  /** Columns of the table to keep beside the answers; absent: none. */
  columns?: 'all' | readonly string[] | undefined;
  /** The project, whose state remembers the hashes of large files. */
  project: string;
  signal: AbortSignal;
  /** Told how many rows are written. */
  onProgress?: ((rows: number) => void) | undefined;
}

export interface TableDone {
  rows: number;
  /** Of the file that was written. */
  sha256: string;
  sizeBytes: number;
  /** Of the data: of a folder, of its manifest. */
  dataSha256: string;
  /** What the answers were made in. */
  engine: ServedModel['engine'];
}

/** Memory for DuckDB; what it reads goes through in pieces. */
const DUCKDB_BYTES = 160 << 20;

/** Memory that what is unzipped may claim: none of it is kept. */
const UNZIPPED_BYTES = 64 * 2 ** 30;

/**
 * Scores a table of any size, row by row in its order, and writes the answers: under their name as a whole or not at all, so that
 * whoever repeats it begins anew. Memory does not grow with the rows.
 *
 * @throws RetrainError DATA_NOT_FOUND, DATA_INVALID, USAGE, MODEL_INVALID, DISK_FULL; the signal's reason when aborted
 */
export async function predictTable(work: TableWork): Promise<TableDone> {
  const { dataPath, out, signal } = work;
  formatOf(out);
  requireOutside(out, dataPath);
  signal.throwIfAborted();
  const files = await dataFiles(dataPath, work.file, work.pattern).catch((error: unknown) => {
    // There is no data.path here.
    throw relabelled(error, dataPath, work.file, 'the path');
  });
  return withSpillFolder((spillDir) => predictFiles(work, files, spillDir));
}

async function predictFiles(
  work: TableWork,
  files: readonly DataFile[],
  spillDir: string,
): Promise<TableDone> {
  const { dataPath, project, signal } = work;
  const digest = digestData(project, dataPath, signal);
  digest.catch(() => undefined);
  // Its threads start while the table is opened.
  const scorer = batchScorer(work.model);
  try {
    for (const data of files) await requireWholeGzip(data, UNZIPPED_BYTES, signal);
    const utf8 = await asUtf8(files, csvFormat(work.rules ?? {}), spillDir);
    const session = { spillDir, signal, memoryBytes: DUCKDB_BYTES };
    const paths = utf8.map((file) => file.path);
    return await withDuckDb(session, { anyQuery: false, paths }, async (connection) => {
      const source = await openSource(connection, utf8, work.file, work.rules ?? {});
      return await writtenAnyhow({ work, source, digest, typed: await mayBeTyped(source), scorer });
    });
  } catch (error) {
    // Whatever the abort made fail.
    throw signal.aborted ? signal.reason : error;
  } finally {
    await scorer.close();
  }
}

/** One way through the table. */
interface Attempt {
  work: TableWork;
  source: TableSource;
  digest: Promise<{ sha256: string }>;
  /** Whether DuckDB reads numbers as numbers. */
  typed: boolean;
  scorer: BatchScorer;
}

/** Begins again where DuckDB does not take a cell for a number, and where the answers of another model count. */
async function writtenAnyhow(attempt: Attempt): Promise<TableDone> {
  try {
    return await written(attempt);
  } catch (error) {
    const other = error instanceof Overruled ? error.by : null;
    if (other === null && !(error instanceof NotTyped)) throw error;
    const model = other ?? attempt.work.model;
    return await writtenAnyhow({
      ...attempt,
      work: { ...attempt.work, model },
      typed: other !== null && attempt.typed,
      scorer: batchScorer(model),
    });
  } finally {
    await attempt.scorer.close();
  }
}

async function written({ work, source, digest, typed, scorer }: Attempt): Promise<TableDone> {
  const { model, signal } = work;
  const judgement = Judgement.of(model, work.judged ?? Promise.resolve(model));
  const match = matchColumns(source.names, model.fields, work.file, work.aliases);
  const kept = keptColumns(work, source);
  requireNoClash(kept, model);
  const file = await OutFile.begin(work.out);
  try {
    const out = outOf(work.out, file);
    const ahead: Promise<{ batch: TableBatch; answers: OutColumn[] }>[] = [];
    let rows = 0;
    const writeFirst = async (): Promise<void> => {
      const { batch, answers } = await Promise.race([ahead.shift()!, abortOf(signal)]);
      await out.write(batch.rows, [...batch.kept, ...answers]);
      rows += batch.rows;
      work.onProgress?.(rows);
    };
    for await (const batch of readBatches(source, { match, kept, typed, inUse: scorer.abreast + 1 })) {
      signal.throwIfAborted();
      judgement.throwIfAgainst();
      const scored = scorer.score(batch).then((answers) => ({ batch, answers }));
      scored.catch(() => undefined);
      ahead.push(scored);
      if (ahead.length > scorer.abreast) await writeFirst();
    }
    while (ahead.length > 0) await writeFirst();
    if (rows === 0) {
      throw new RetrainError('DATA_INVALID', `${work.file}: holds no row, expected at least 1`);
    }
    await Promise.race([judgement.pass(), abortOf(signal)]);
    signal.throwIfAborted();
    const { sha256: dataSha256 } = await digest;
    await out.finish({ ...work.about, 'retrain.data_sha256': dataSha256 });
    const sha256 = await file.finish();
    return { rows, sha256, sizeBytes: file.sizeBytes, dataSha256, engine: model.engine };
  } catch (error) {
    await file.drop();
    throw error;
  }
}

/** @throws RetrainError USAGE for a column that is not there */
function keptColumns({ columns = [] }: TableWork, { names, file }: TableSource): readonly string[] {
  if (columns === 'all') return names;
  for (const name of columns) {
    if (names.includes(name)) continue;
    const near = nearest(name, names);
    throw new RetrainError(
      'USAGE',
      `--columns ${name}: ${file} has no such column${near === undefined ? '' : `; did you mean "${near}"?`}`,
    );
  }
  return [...new Set(columns)];
}

/** @throws RetrainError USAGE for answers that would be read as data the next time */
function requireOutside(out: string, dataPath: string): void {
  const relative = path.relative(dataPath, out);
  if (relative !== '' && (relative.startsWith('..') || path.isAbsolute(relative))) return;
  throw new RetrainError(
    'USAGE',
    `--out ${out}: is ${relative === '' ? 'the data itself' : 'in the folder of the data, and would be read as data the next time'}; name another place`,
  );
}

function outOf(name: string, { sink }: OutFile): TableOut {
  switch (formatOf(name)) {
    case 'parquet':
      return new ParquetOut(sink);
    case 'csv':
      return new CsvOut(sink);
    case 'json-lines':
      return new JsonLinesOut(sink);
  }
}
