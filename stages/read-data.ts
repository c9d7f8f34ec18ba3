import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { declaredData } from '../contracts/data-params';
import { ARTIFACT } from '../contracts/stage';
import { type AutoColumns, autoColumns, withAuto, withDateParts } from '../ml/dataset/auto-columns';
import { columnChoice, type TableParams } from '../ml/dataset/column-choice';
import { namesOf } from '../ml/dataset/column-plan';
import { dataFiles, type DataFile } from '../ml/dataset/data-files';
import { type RawTable } from '../ml/dataset/raw-table';
import { type DuckReader, lookAtColumns, readTable, type TableOptions } from '../ml/dataset/read-table';
import { type StageContext } from './stage';

/** The table that params.yaml describes. */
export interface ReadData {
  table: RawTable;
  /** Names of the feature columns. */
  features: string[];
  target: string;
  /** `preprocess.encode` with what `preprocess.auto` added. */
  encode: TableParams['preprocess']['encode'];
  /** What was done to columns by itself, one sentence each. */
  notes: string[];
}

/** Reads the data as params.yaml says. @throws RetrainError as `readTable` does */
export async function readData(context: StageContext, params: TableParams): Promise<ReadData> {
  const { sql, filter, impute, encode } = params.preprocess;
  const options: TableOptions = {
    choice: columnChoice(params),
    pattern: params.data.files,
    allowMissing: impute !== 'refuse',
    missing: params.data.missing,
    csv: params.data.csv,
    ...(context.memoryBytes === undefined ? {} : { memoryBytes: context.memoryBytes }),
    sql,
    filter,
    ...(await extraTables(context, params)),
    onProgress: (done) => context.report({ phase: 'reading', done }),
  };
  context.report({ phase: 'reading' });
  const input = context.input(ARTIFACT.data);
  const file = params.data.path;
  const readDuck = duckReader(context);
  const auto: AutoColumns | undefined =
    params.preprocess.auto === true
      ? autoColumns(await lookAtColumns(input, file, options, readDuck))
      : undefined;
  const choice = auto === undefined ? options.choice : withAuto(options.choice, auto);
  const { table, plan } = await readTable(input, file, { ...options, choice }, readDuck);
  return {
    ...withDateParts(table, namesOf(plan, 'feature'), auto?.dates ?? []),
    target: namesOf(plan, 'target')[0] ?? params.data.target,
    encode: { ...auto?.encode, ...encode },
    notes: auto?.notes ?? [],
  };
}

/** The tables that a query may join, by name. */
async function extraTables(
  context: StageContext,
  { data }: TableParams,
): Promise<Pick<TableOptions, 'extra'>> {
  const extra: Record<string, readonly DataFile[]> = {};
  for (const { table, artifact, path } of declaredData(data)) {
    if (table !== undefined) extra[table] = await dataFiles(context.input(artifact), path);
  }
  return Object.keys(extra).length === 0 ? {} : { extra };
}

function duckReader({ native }: StageContext): DuckReader {
  return (files, file, options) =>
    native.run(async (signal) => {
      const { readDuckTable } = await import('../ml/dataset/duckdb/read-duck-table.js');
      const spillDir = mkdtempSync(join(tmpdir(), 'retrain-spill-'));
      try {
        return await readDuckTable(files, file, { ...options, spillDir, signal });
      } finally {
        rmSync(spillDir, { recursive: true, force: true });
      }
    });
}
