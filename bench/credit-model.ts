/**
 * Trains the forest of examples/credit-risk (100 trees, depth 10, clipped and imputed) on a generated table and lays its model
 * directory out, for the benchmarks of serving: `node dist/bench/credit-model.js FOLDER ROWS`.
 */
import { spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { packageRoot } from '../client/stack/package-root';
import { type TableSchema } from '../contracts/stage';
import { TrainParams } from '../contracts/train-params';
import { modelDirectory } from '../integrations/mlflow/model-directory';
import { numberClasses } from '../ml/dataset/class-labels';
import { dataFiles } from '../ml/dataset/data-files';
import { readDuckTable } from '../ml/dataset/duckdb/read-duck-table';
import { fitInputs, prepareMatrix, preparedNames } from '../ml/dataset/prepare';
import { columnOf } from '../ml/dataset/raw-table';
import { digestBytes } from '../ml/hashing/digest';
import { encodeOnnx } from '../ml/onnx/encode';
import { readOnnxInterface } from '../ml/onnx/read-interface';
import { histogramForest } from '../ml/trainer/histogram-forest';

const TARGET = 'SeriousDlqin2yrs';
const TRAINED_ON = 120_000;

/** Writes FOLDER/credit.csv of so many rows, and FOLDER/model. */
export async function creditModel(folder: string, rows: number): Promise<{ data: string; model: string }> {
  const data = path.join(folder, 'credit.csv');
  const generator = path.join(packageRoot(), 'examples', 'credit-risk', 'generate.mjs');
  const made = spawnSync(process.execPath, [generator, '--rows', String(rows), '--out', data]);
  if (made.status !== 0) throw new Error(made.stderr.toString());
  const model = path.join(folder, 'model');
  await layOutForest(data, TARGET, model, { drop: ['column00'], trees: 100 });
  return { data, model };
}

/** Trains a forest on a CSV file of numbers and a class, by its first rows, and lays its model directory out. */
export async function layOutForest(
  data: string,
  targetName: string,
  dir: string,
  { drop, trees }: { drop: string[]; trees: number },
): Promise<void> {
  const choice = { target: targetName, drop, rename: {} };
  const spillDir = `${dir}.spill`;
  mkdirSync(spillDir, { recursive: true });
  const files = await dataFiles(data, path.basename(data));
  const { table, plan } = await readDuckTable(files, path.basename(data), {
    ...{ choice, allowMissing: true, spillDir, look: TRAINED_ON },
  });
  const names = plan.columns.filter(({ role }) => role === 'feature').map(({ name }) => name);
  const all = Uint32Array.from({ length: table.rows }, (_, row) => row);
  const utilization = 'RevolvingUtilizationOfUnsecuredLines';
  const clip = names.includes(utilization) ? { [utilization]: { max: 10 } } : {};
  const inputs = fitInputs(table, names, all, { clip, impute: 'median', impute_value: 0, encode: {} });
  const target = columnOf(table, targetName);
  if (target.kind !== 'text') throw new Error('the target is no class');
  const { classes, numbers } = numberClasses(target, data);
  const matrix = prepareMatrix(table.columns, table.rows, inputs);
  const { model } = await histogramForest.train(
    { ...matrix, labels: numbers, classes: classes.length },
    TrainParams.parse({ n_estimators: trees, max_depth: 10, seed: 42 }),
  );
  const features = preparedNames(inputs);
  const schema: TableSchema = {
    ...{ task: 'classification', features, inputs, target: targetName, classes },
    ...{ rows: { train: table.rows, test: 0 }, example: [], rawExample: [] },
  };
  const onnx = encodeOnnx(model, {
    featureNames: features,
    inputs,
    classLabels: classes,
    modelName: 'bench',
  });
  const described = { schema, graph: readOnnxInterface(onnx), content: digestBytes(onnx), runId: 'bench' };
  for (const file of [
    { path: 'model.onnx', bytes: onnx },
    ...modelDirectory({ ...described, createdAt: 0 }),
  ]) {
    mkdirSync(path.dirname(path.join(dir, file.path)), { recursive: true });
    writeFileSync(path.join(dir, file.path), file.bytes);
  }
}

if (require.main === module) {
  const [folder = '', rows = '1000000'] = process.argv.slice(2);
  void creditModel(folder, Number(rows)).then((made) => console.log(JSON.stringify(made)));
}
