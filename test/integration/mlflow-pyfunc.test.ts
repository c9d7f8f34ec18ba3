import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { type InputColumn, type TableSchema } from '../../contracts/stage';
import { TrainParams } from '../../contracts/train-params';
import { createMlflow, type Mlflow } from '../../integrations/mlflow/client';
import { MODEL_PATH } from '../../integrations/mlflow/model-directory';
import { mlflowSettings } from '../../integrations/mlflow/settings';
import { prepareMatrix, preparedNames } from '../../ml/dataset/prepare';
import { type Column } from '../../ml/dataset/raw-table';
import { predict } from '../../ml/model/model';
import { encodeOnnx } from '../../ml/onnx/encode';
import { histogramForest } from '../../ml/trainer/histogram-forest';
import { freshKey } from '../integrations/mlflow/training-result';
import { uploadModel } from '../integrations/mlflow/upload-model';

const settings = mlflowSettings({ MLFLOW_TRACKING_URI: process.env['RETRAIN_TEST_MLFLOW_URI'] });

const ROWS = 60;
const ZIPS = ['101', '7', '9009'];
/** Every 7th row is an odd one out, so that there is something to be wrong about. */
const truth = (row: number): number => Number((row % 3 === 0 || row % 11 > 7) !== (row % 7 === 0));

interface Heard {
  /** NumPy’s name of what predict answers. */
  type: string;
  accuracy: number;
  /** By the way of asking. */
  answers: Record<string, number[]>;
  one: number[];
  gap: number[];
  proba: number[][];
  errors: Record<string, string>;
  signature: { inputs: string[]; outputs: unknown };
  evaluated: { accuracy_score: number; f1_score: number };
  served: Record<string, unknown>;
}

describe('a classifier of 0 and 1 with a text column of digits, in Python', () => {
  let mlflow: Mlflow;
  let heard: Heard;
  let expected: number[];
  let probabilities: number[][];
  const folder = mkdtempSync(join(tmpdir(), 'pyfunc-'));

  beforeAll(async () => {
    mlflow = createMlflow(settings);
    const columns: Column[] = [
      {
        name: 'zip',
        kind: 'text',
        levels: ZIPS,
        codes: Int32Array.from({ length: ROWS }, (_, row) => row % 3),
      },
      { name: 'size', kind: 'number', values: Float64Array.from({ length: ROWS }, (_, row) => row % 11) },
    ];
    const inputs: InputColumn[] = [
      { kind: 'category', name: 'zip', encoding: 'one-hot', levels: ZIPS },
      { kind: 'number', name: 'size', min: null, max: null, impute: 4 },
    ];
    const matrix = prepareMatrix(columns, ROWS, inputs);
    const labels = Uint32Array.from({ length: ROWS }, (_, row) => truth(row));
    const params = TrainParams.parse({ n_estimators: 9, max_depth: 3 });
    const { model } = await histogramForest.train({ ...matrix, labels, classes: 2 }, params);
    const answers = predict(model, matrix);
    probabilities = Array.from(labels, (_, row) => [...answers.subarray(row * 2, row * 2 + 2)]);
    expected = probabilities.map(([no = 0, yes = 0]) => Number(yes > no));
    const csv = Array.from(labels, (label, row) => `${ZIPS[row % 3] ?? ''},${row % 11},${label}`);
    writeFileSync(join(folder, 'data.csv'), ['zip,size,y', ...csv, ''].join('\n'));

    const schema: TableSchema = {
      ...{
        task: 'classification',
        features: preparedNames(inputs),
        inputs,
        target: 'y',
        classes: ['0', '1'],
      },
      ...{
        rows: { train: ROWS, test: 0 },
        example: [],
        rawExample: [
          ['101', 0],
          [null, null],
        ],
      },
    };
    const onnx = encodeOnnx(model, {
      ...{ featureNames: schema.features, inputs, classLabels: schema.classes, modelName: 'digits' },
    });
    const { run } = await mlflow.runs.open({
      experimentId: await mlflow.experiments.ensure(`pyfunc-${randomUUID()}`),
      name: 'digits',
      identity: { pipelineKey: freshKey(), workflowId: 'w', workflowRunId: 'w1' },
      tags: {},
      params: {},
    });
    await uploadModel(mlflow, run.artifactUri, { schema, onnx, runId: run.runId, createdAt: 0 });
    const name = `digits-${randomUUID()}`;
    const source = `runs:/${run.runId}/${MODEL_PATH}`;
    await mlflow.registry.findOrCreateVersion({ name, runId: run.runId, source, tags: {} });

    const python = process.env['RETRAIN_TEST_MLFLOW_PYTHON'] ?? 'python3';
    const script = join(__dirname, 'mlflow-pyfunc.py');
    const { stdout } = await promisify(execFile)(python, [script, join(folder, 'data.csv'), name], {
      env: { ...process.env, MLFLOW_TRACKING_URI: settings.uri },
      maxBuffer: 10_000_000,
    });
    heard = JSON.parse(stdout.slice(stdout.indexOf('{"type"'))) as Heard;
  }, 240_000);

  afterAll(async () => {
    rmSync(folder, { recursive: true });
    await mlflow.close();
  });

  test('answers numbers where the target holds numbers, so that they compare', () => {
    expect(heard.type).toBe('int64');
    const right = expected.filter((label, row) => label === truth(row)).length;
    expect(right).toBeLessThan(ROWS);
    expect(heard.accuracy).toBeCloseTo(right / ROWS, 12);
  });

  test.each([
    'read_csv',
    'texts',
    'category',
    'category of texts',
    'floats beside a gap',
    'nullable',
    'array',
    'array of objects',
    'records',
    'dictionary',
  ])('says what we say, asked with %s', (way) => {
    expect(heard.answers[way]).toEqual(expected);
  });

  test('takes one row, and a number that is missing', () => {
    expect(heard.one).toHaveLength(1);
    expect(heard.gap).toEqual(expected.slice(1));
  });

  test('gives probabilities by params, a column per class', () => {
    expect(heard.proba.map(([no]) => no)).toEqual(
      probabilities.map(([no = 0]) => expect.closeTo(no, 5) as number),
    );
  });

  test.each([
    ['column', "ValueError: missing columns ['size']; the model takes ['zip', 'size']"],
    ['width', 'ValueError: rows of 3 values, expected 2: zip, size'],
    ['number', 'ValueError: column size takes numbers: '],
    ['method', "ValueError: predict_method must be one of predict, predict_proba, got 'predict_log'"],
  ])('says what is wrong with a %s', (what, message) => {
    expect(heard.errors[what]).toContain(message);
  });

  test('names its columns with their types', () => {
    expect(heard.signature.inputs).toEqual(['zip: string', 'size: double']);
    expect(heard.signature.outputs).toEqual([
      { type: 'tensor', 'tensor-spec': { dtype: 'int64', shape: [-1] } },
    ]);
  });

  test('is evaluated by mlflow.models.evaluate', () => {
    expect(heard.evaluated.accuracy_score).toBeCloseTo(heard.accuracy, 12);
    expect(heard.evaluated.f1_score).toBeGreaterThan(0);
  });

  test('is served by mlflow models serve: CSV, JSON, its own example, probabilities', () => {
    expect(heard.served['csv']).toEqual(expected);
    expect(heard.served['json']).toEqual(expected);
    expect(heard.served['example']).toHaveLength(2);
    expect(heard.served['proba']).toEqual(
      probabilities.map((row) => row.map((value) => expect.closeTo(value, 5) as number)),
    );
  });
});
