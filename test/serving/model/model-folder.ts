import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { type SignalRule } from '../../../contracts/signal';
import { type TableSchema } from '../../../contracts/stage';
import { TrainParams } from '../../../contracts/train-params';
import { modelDirectory } from '../../../integrations/mlflow/model-directory';
import { numberClasses } from '../../../ml/dataset/class-labels';
import { prepareMatrix, preparedNames } from '../../../ml/dataset/prepare';
import { columnOf, textAt } from '../../../ml/dataset/raw-table';
import { predict, type Model } from '../../../ml/model/model';
import { encodeOnnx } from '../../../ml/onnx/encode';
import { histogramForest } from '../../../ml/trainer/histogram-forest';
import { directoryInput } from '../../integrations/mlflow/upload-model';
import { MASS, penguins } from '../../ml/penguins';

/** Lays out a model directory as register does. @param thresholds cut-offs that the evaluation chose @returns its path */
export function layOut(
  schema: TableSchema,
  onnx: Uint8Array,
  thresholds: Record<string, number> = {},
  signal?: SignalRule,
): string {
  const dir = path.join(mkdtempSync(path.join(tmpdir(), 'served-')), 'model');
  const described = directoryInput({ schema, onnx, runId: 'r', createdAt: 0, thresholds, signal });
  const files = [{ path: 'model.onnx', bytes: onnx }, ...modelDirectory(described)];
  for (const file of files) {
    mkdirSync(path.dirname(path.join(dir, file.path)), { recursive: true });
    writeFileSync(path.join(dir, file.path), file.bytes);
  }
  return dir;
}

export interface PenguinModel {
  dir: string;
  model: Model;
  schema: TableSchema;
  /** Rows as JSON has them. */
  records: Record<string, string | number | null>[];
  /** `[n, K]` or `[n]`, by our predictor. */
  predictions: Float64Array;
}

/** A forest of penguins: texts in both encodings, numbers clipped and imputed, missing values among the rows. */
export async function penguinModel(
  task: 'classification' | 'regression',
  change: Partial<TableSchema> = {},
): Promise<PenguinModel> {
  const { table, inputs } = await penguins();
  const matrix = prepareMatrix(table.columns, table.rows, inputs);
  const [species, mass] = [columnOf(table, 'Species'), columnOf(table, MASS)];
  if (species.kind !== 'text' || mass.kind !== 'number') throw new Error('the columns have changed');
  const { classes, numbers } = numberClasses(species, 'penguins');
  const rows =
    task === 'regression'
      ? { ...matrix, targets: Float32Array.from(mass.values) }
      : { ...matrix, labels: numbers, classes: classes.length };
  const { model } = await histogramForest.train(rows, TrainParams.parse({ n_estimators: 20 }));
  const records = Array.from({ length: table.rows }, (_, row): PenguinModel['records'][number] =>
    Object.fromEntries(
      inputs.map(({ name }): [string, string | number | null] => {
        const column = columnOf(table, name);
        if (column.kind === 'text') return [name, textAt(column, row) ?? null];
        return [name, Number.isNaN(column.values[row]) ? null : column.values[row]!];
      }),
    ),
  );
  const schema: TableSchema = {
    task,
    features: preparedNames(inputs),
    inputs,
    target: task === 'regression' ? MASS : 'Species',
    classes: task === 'regression' ? [] : classes,
    rows: { train: table.rows, test: 0 },
    example: [],
    rawExample: records.slice(0, 5).map((record) => inputs.map(({ name }) => record[name] ?? null)),
    ...change,
  };
  const onnx = encodeOnnx(model, {
    ...{ featureNames: schema.features, inputs, classLabels: schema.classes, modelName: 'penguins' },
  });
  return { dir: layOut(schema, onnx), model, schema, records, predictions: predict(model, matrix) };
}
