import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { promisify } from 'node:util';
import { join } from 'node:path';
import { type TableSchema } from '../../contracts/stage';
import { TrainParams } from '../../contracts/train-params';
import { createMlflow, type Mlflow } from '../../integrations/mlflow/client';
import { MODEL_PATH } from '../../integrations/mlflow/model-directory';
import { mlflowSettings } from '../../integrations/mlflow/settings';
import { numberClasses } from '../../ml/dataset/class-labels';
import { prepareMatrix, preparedNames } from '../../ml/dataset/prepare';
import { columnOf, textAt } from '../../ml/dataset/raw-table';
import { classNumbers } from '../../ml/forest/predict';
import { predict } from '../../ml/model/model';
import { encodeOnnx } from '../../ml/onnx/encode';
import { histogramForest } from '../../ml/trainer/histogram-forest';
import { freshKey } from '../integrations/mlflow/training-result';
import { uploadModel } from '../integrations/mlflow/upload-model';
import { MASS, PENGUINS, penguins } from '../ml/penguins';

const settings = mlflowSettings({ MLFLOW_TRACKING_URI: process.env['RETRAIN_TEST_MLFLOW_URI'] });

interface Said {
  label?: string[];
  probabilities?: number[][];
  prediction?: number[];
}

interface Heard {
  /** By the way of asking. */
  answers: Record<string, Said>;
  /** Of the input example. */
  example: Said;
  signature: string[];
  /** What a caller without one of the columns reads. */
  missing: string;
}

describe('a model of raw rows, loaded by Python’s MLflow', () => {
  let mlflow: Mlflow;
  const heard: Record<string, Heard> = {};
  const expected: Record<string, Said> = {};

  async function register(task: 'classification' | 'regression'): Promise<string> {
    const { table, inputs } = await penguins();
    const matrix = prepareMatrix(table.columns, table.rows, inputs);
    const [species, mass] = [columnOf(table, 'Species'), columnOf(table, MASS)];
    if (species.kind !== 'text' || mass.kind !== 'number') throw new Error('the columns have changed');
    const { classes, numbers } = numberClasses(species, 'penguins');
    const params = TrainParams.parse({ n_estimators: 20 });
    const rows =
      task === 'regression'
        ? { ...matrix, targets: Float32Array.from(mass.values) }
        : { ...matrix, labels: numbers, classes: classes.length };
    const { model } = await histogramForest.train(rows, params);
    const answers = predict(model, matrix);
    const schema: TableSchema = {
      task,
      features: preparedNames(inputs),
      inputs,
      target: task === 'regression' ? MASS : 'Species',
      classes: task === 'regression' ? [] : classes,
      rows: { train: table.rows, test: 0 },
      example: [],
      rawExample: [0, 3].map((row) =>
        inputs.map(({ name }) => {
          const column = columnOf(table, name);
          if (column.kind === 'text') return textAt(column, row) ?? null;
          return Number.isNaN(column.values[row]) ? null : (column.values[row] ?? null);
        }),
      ),
    };
    expected[task] =
      task === 'regression'
        ? { prediction: [...answers] }
        : {
            label: Array.from(classNumbers(answers, classes.length), (k) => classes[k] ?? ''),
            probabilities: Array.from({ length: table.rows }, (_, row) => [
              ...answers.subarray(row * classes.length, (row + 1) * classes.length),
            ]),
          };
    const onnx = encodeOnnx(model, {
      ...{ featureNames: schema.features, inputs, classLabels: schema.classes, modelName: 'penguins' },
    });
    const { run } = await mlflow.runs.open({
      experimentId: await mlflow.experiments.ensure(`raw-${randomUUID()}`),
      name: task,
      identity: { pipelineKey: freshKey(), workflowId: 'w', workflowRunId: 'w1' },
      tags: {},
      params: {},
      datasets: [{ name: 'penguins.csv', digest: 'f'.repeat(64), source: 'penguins.csv' }],
    });
    await uploadModel(mlflow, run.artifactUri, { schema, onnx, runId: run.runId, createdAt: 0 });
    const name = `penguins-${randomUUID()}`;
    const source = `runs:/${run.runId}/${MODEL_PATH}`;
    await mlflow.registry.findOrCreateVersion({ name, runId: run.runId, source, tags: {} });
    return name;
  }

  beforeAll(async () => {
    mlflow = createMlflow(settings);
    const names = await Promise.all([register('classification'), register('regression')]);
    const python = process.env['RETRAIN_TEST_MLFLOW_PYTHON'] ?? 'python3';
    const script = join(__dirname, 'mlflow-raw-rows.py');
    const { stdout } = await promisify(execFile)(python, [script, PENGUINS, ...names], {
      env: { ...process.env, MLFLOW_TRACKING_URI: settings.uri },
      maxBuffer: 10_000_000,
    });
    [heard['classification'], heard['regression']] = JSON.parse(stdout) as [Heard, Heard];
  }, 120_000);

  afterAll(() => mlflow.close());

  describe.each(['classification', 'regression'])('%s', (task) => {
    test.each(['frame', 'shuffled', 'dictionary', 'array', 'onnxruntime'])('says what we say (%s)', (way) => {
      const said = heard[task]?.answers[way] ?? {};
      expect(said.label).toEqual(expected[task]?.label);
      const ours = expected[task]?.probabilities?.flat() ?? expected[task]?.prediction ?? [];
      const theirs = said.probabilities?.flat() ?? said.prediction ?? [];
      expect(theirs).toHaveLength(ours.length);
      ours.forEach((value, i) =>
        expect(Math.abs((theirs[i] ?? NaN) - value)).toBeLessThanOrEqual(1e-6 * Math.max(1, Math.abs(value))),
      );
    });

    test('takes its input example', () => {
      const { label, prediction } = heard[task]?.example ?? {};
      expect(label).toEqual(expected[task]?.label && [0, 3].map((row) => expected[task]?.label?.[row]));
      [0, 3].forEach((row, i) => {
        if (prediction !== undefined)
          expect(prediction[i]).toBeCloseTo(expected[task]?.prediction?.[row] ?? NaN, 1);
      });
    });

    test('names its columns and their types in the signature', () => {
      expect(heard[task]?.signature).toEqual([
        'Island: string',
        'Beak Length (mm): double',
        'Beak Depth (mm): double',
        'Flipper Length (mm): double',
        'Sex: string',
      ]);
      expect(heard[task]?.missing).toMatch(/missing columns \['Sex'\]; the model takes/);
    });
  });
});
