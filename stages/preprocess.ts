import { writeFileSync } from 'node:fs';
import { z } from 'zod';
import { DataParams, ExpectParams, Params, PreprocessParams } from '../contracts/params';
import { ARTIFACT, type InputColumn, type TableProfile, type TableSchema } from '../contracts/stage';
import { chooseRows } from '../ml/dataset/choose-rows';
import { numberClasses } from '../ml/dataset/class-labels';
import { distinctRows } from '../ml/dataset/deduplicate';
import { requireExpectations, requireNoLeakage } from '../ml/dataset/expectations';
import { requireClasses, requireFewLevels } from '../ml/dataset/plausible';
import { fitInputs, prepareMatrix, preparedNames } from '../ml/dataset/prepare';
import { profileTable } from '../ml/dataset/profile';
import { columnOf, takeRows, textAt, type Column, type RawTable } from '../ml/dataset/raw-table';
import { namedRows, rowNaming } from '../ml/dataset/row-naming';
import { takeNames } from '../ml/dataset/row-names';
import { encodeSeenRows } from '../ml/dataset/seen-rows';
import { writeTestKeys } from '../ml/dataset/test-keys';
import { writeTable } from '../ml/dataset/table-artifact';
import { writeTrainTimes } from '../ml/dataset/train-times';
import { momentsOf, type Moments } from '../ml/dataset/moments';
import { warningsOf } from '../ml/dataset/warnings';
import { fitBaselines } from './baselines';
import { parseInput } from './parse-input';
import { readData } from './read-data';
import { type Stage } from './stage';

const PreprocessStageParams = z.strictObject({
  data: DataParams,
  expect: ExpectParams.default({}),
  preprocess: PreprocessParams,
  task: Params.shape.task,
});

const EXAMPLE_ROWS = 5;

/**
 * data → train.parquet, test.parquet, seen-rows.bin, test-keys.parquet, train-times.parquet, schema.json, profile.json: reads the table, holds
 * it against the expectations, splits the rows, and learns from the training rows how numbers are imputed and texts encoded. The rows stay raw:
 * that is what the model takes.
 */
export const preprocess: Stage = async (context) => {
  const params = parseInput(PreprocessStageParams, context.params, 'params.json', 'CONFIG_INVALID');
  const { table: read, features, target, encode, notes } = await readData(context, params);
  context.report({ phase: 'checking', done: read.rows });
  requireExpectations(read, params.expect);
  const table = deduplicated(read, [...features, target], params.preprocess.deduplicate);

  context.report({ phase: 'splitting', done: table.rows });
  const { classes, numbers } = targetOf(table, target);
  const naming = rowNaming(params.preprocess, features, target);
  const names = namedRows(table, naming);
  const split = chooseRows(table, { names, labels: numbers, classes }, params.preprocess);
  const inputs = fitInputs(table, features, split.train, { ...params.preprocess, encode });
  requireFewLevels(table.file, inputs, table.rows, context.memoryBytes);

  const equalTogether = naming.by === 'content' && params.preprocess.split !== 'time';
  const warnings = warningsOf({ table, features, target, classes, numbers, split, equalTogether });
  requireNoLeakage(table.file, warnings, params.expect);

  context.report({ phase: 'fitting baselines', done: table.rows });
  const learned = { table, inputs, target, numbers, classes };
  const baselines = await fitBaselines(learned, split.train, params.preprocess);

  context.report({ phase: 'writing', done: table.rows });
  writeTable(context.output(ARTIFACT.train), table, inputs, target, split.train);
  writeTable(context.output(ARTIFACT.test), table, inputs, target, split.test);
  writeFileSync(context.output(ARTIFACT.seenRows), encodeSeenRows(naming, takeNames(names, split.train)));
  writeTestKeys(context.output(ARTIFACT.testKeys), table, features, split.test);
  const moments = timesOf(table, params.preprocess);
  writeTrainTimes(context.output(ARTIFACT.trainTimes), moments?.values ?? null, split.train);
  const schema: TableSchema = {
    task: params.task,
    features: preparedNames(inputs),
    inputs,
    target,
    classes,
    rows: { train: split.train.length, test: split.test.length },
    ...examplesOf(table, inputs, split.train),
    baselines,
    ...(moments === null
      ? {}
      : {
          time: {
            column: params.preprocess.time_by ?? '',
            unit: moments.unit,
            gap: params.preprocess.gap ?? 0,
          },
        }),
  };
  const profile: TableProfile = {
    ...profileTable(table, features, target, read.rows),
    ...(notes.length === 0 ? {} : { notes }),
    ...(warnings.length === 0 ? {} : { warnings }),
  };
  writeFileSync(context.output(ARTIFACT.schema), `${JSON.stringify(schema)}\n`);
  writeFileSync(context.output(ARTIFACT.profile), `${JSON.stringify(profile)}\n`);
  return {
    rows_train: split.train.length,
    rows_test: split.test.length,
    features: schema.features.length,
    classes: classes.length,
    ...(warnings.length === 0 ? {} : { warnings: warnings.length }),
  };
};

/** First training rows, prepared and raw; a prepared number that stays missing is shown as 0, as JSON has no NaN. */
function examplesOf(
  table: RawTable,
  inputs: readonly InputColumn[],
  trainRows: Uint32Array,
): Pick<TableSchema, 'example' | 'rawExample'> {
  const first = takeRows(table, trainRows.subarray(0, EXAMPLE_ROWS));
  const { values, rows, features } = prepareMatrix(first.columns, first.rows, inputs);
  const rowNumbers = Array.from({ length: rows }, (_, row) => row);
  return {
    example: rowNumbers.map((row) => Array.from({ length: features }, (_, f) => values[f * rows + row] || 0)),
    rawExample: rowNumbers.map((row) => inputs.map(({ name }) => rawCell(columnOf(first, name), row))),
  };
}

/** When each row was; null for a split that does not go by time. */
function timesOf(table: RawTable, { split, time_by }: PreprocessParams): Moments | null {
  if (split !== 'time' || time_by === undefined) return null;
  const column = columnOf(table, time_by);
  return column.kind === 'text' ? momentsOf(table, column) : null;
}

function rawCell(column: Column, row: number): number | string | null {
  if (column.kind === 'text') return textAt(column, row) ?? null;
  const value = column.values[row] ?? Number.NaN;
  return Number.isNaN(value) ? null : value;
}

function deduplicated(
  table: RawTable,
  allColumns: readonly string[],
  by: PreprocessParams['deduplicate'],
): RawTable {
  if (by === false) return table;
  const rows = distinctRows(table, by === true ? allColumns : by);
  return rows.length === table.rows ? table : takeRows(table, rows);
}

function targetOf(table: RawTable, name: string): { classes: string[]; numbers: Uint32Array | null } {
  const column = columnOf(table, name);
  if (column.kind === 'number') return { classes: [], numbers: null };
  requireClasses(table.file, column);
  return numberClasses(column, table.file);
}
