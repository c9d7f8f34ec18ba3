import { writeFileSync } from 'node:fs';
import { z } from 'zod';
import { DataParams, Params, PreprocessParams } from '../contracts/params';
import { ARTIFACT, type TableSchema } from '../contracts/stage';
import { numberLabels } from '../ml/dataset/class-labels';
import { fitImputer } from '../ml/dataset/impute';
import { readTable } from '../ml/dataset/read-table';
import { stratifiedSplit } from '../ml/dataset/split';
import { writeCsv } from '../ml/dataset/write-csv';
import { type Stage } from './stage';

const PreprocessStageParams = z.strictObject({
  data: DataParams,
  preprocess: PreprocessParams,
  task: Params.shape.task,
});

const EXAMPLE_ROWS = 5;

/**
 * data → train.csv, test.csv, schema.json: takes the features and the target out of the table, splits the rows,
 * and fills in missing numbers by what the training rows say.
 */
export const preprocess: Stage = async (context) => {
  const { data, preprocess: params } = PreprocessStageParams.parse(context.params);
  const file = data.path;
  context.report({ phase: 'reading' });
  const table = await readTable(context.input(ARTIFACT.data), {
    file,
    target: data.target,
    drop: params.drop,
    rename: params.rename,
    allowMissing: params.impute !== 'refuse',
    onProgress: (rows) => context.report({ phase: 'reading', done: rows }),
  });
  const { features, target } = table;
  const { classes, numbers } = numberLabels(table.labels, file, target);
  const split = stratifiedSplit(numbers, classes, params.test_size, params.seed, file);
  const substitutes = fitImputer(table.columns, features, split.train, params.impute, file);
  const columns = table.columns.map((column, f) => {
    const substitute = substitutes[f] ?? Number.NaN;
    return Number.isNaN(substitute)
      ? column
      : column.map((value) => (Number.isNaN(value) ? substitute : value));
  });

  context.report({ phase: 'writing' });
  const header = [...features, target];
  const labelOf = (row: number): string => table.labels[row] ?? '';
  writeCsv(context.output(ARTIFACT.train), header, columns, labelOf, split.train);
  writeCsv(context.output(ARTIFACT.test), header, columns, labelOf, split.test);
  const schema: TableSchema = {
    features,
    target,
    classes,
    rows: { train: split.train.length, test: split.test.length },
    example: Array.from(split.train.subarray(0, EXAMPLE_ROWS), (row) =>
      columns.map((column) => Math.fround(column[row] ?? Number.NaN)),
    ),
  };
  writeFileSync(context.output(ARTIFACT.schema), `${JSON.stringify(schema)}\n`);
  return {
    rows_train: split.train.length,
    rows_test: split.test.length,
    features: features.length,
    classes: classes.length,
  };
};
