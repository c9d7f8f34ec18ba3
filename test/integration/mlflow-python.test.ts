import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { Params } from '../../contracts/params';
import type { TableSchema } from '../../contracts/stage';
import { createMlflow, type Mlflow } from '../../integrations/mlflow/client';
import { MODEL_PATH, modelHistoryTag } from '../../integrations/mlflow/model-directory';
import { mlflowSettings } from '../../integrations/mlflow/settings';
import type { LabelledMatrix } from '../../ml/dataset/matrix';
import { classNumbers, predictBatch } from '../../ml/forest/predict';
import { encodeOnnx } from '../../ml/onnx/encode';
import { mlRandomForest } from '../../ml/trainer/ml-random-forest';
import { freshKey } from '../integrations/mlflow/training-result';
import { directoryInput, uploadModel } from '../integrations/mlflow/upload-model';

const IRIS = join(__dirname, '..', '..', 'data', 'iris.csv');
const settings = mlflowSettings({ MLFLOW_TRACKING_URI: process.env['RETRAIN_TEST_MLFLOW_URI'] });

interface Said {
  label: string[];
  probabilities: number[][];
}

interface Heard {
  frame: Said;
  array: Said;
  by_version: Said;
  example: Said;
  example_columns: string[];
  signature_equal: boolean;
  metadata: { feature_names: string[]; class_labels: string[]; target: string };
  created: string;
  graph: string;
  dataset: string;
}

/** All 150 rows of iris, column-major. */
function iris(): { table: LabelledMatrix; schema: TableSchema } {
  const [header = '', ...lines] = readFileSync(IRIS, 'utf8').trim().split(/\r?\n/);
  const rows = lines.map((line) => line.split(','));
  const classes = [...new Set(rows.map((row) => row[4] ?? ''))].sort();
  const values = new Float32Array(rows.length * 4);
  rows.forEach((row, i) => {
    for (let f = 0; f < 4; f += 1) values[f * rows.length + i] = Number(row[f]);
  });
  const labels = Uint32Array.from(rows, (row) => classes.indexOf(row[4] ?? ''));
  return {
    table: { values, rows: rows.length, features: 4, labels, classes: classes.length },
    schema: {
      features: header.split(',').slice(0, 4),
      target: 'species',
      classes,
      rows: { train: 150, test: 0 },
      example: rows.slice(0, 5).map((row) => row.slice(0, 4).map(Number)),
    },
  };
}

describe('a model of prepared rows logged by us, loaded by Python’s MLflow', () => {
  let mlflow: Mlflow;
  let heard: Heard;
  let expected: { label: string[]; probabilities: Float64Array };
  const name = `iris-${randomUUID()}`;
  const createdAt = Date.UTC(2026, 0, 31, 12, 0, 0, 123);

  beforeAll(async () => {
    mlflow = createMlflow(settings);
    const { table, schema } = iris();
    const params = Params.parse({ experiment: 'e', model: 'm', data: { path: 'p', target: 't' } });
    const { model } = await mlRandomForest.train(table, { ...params.train, n_estimators: 20 });
    const onnx = encodeOnnx(model, {
      featureNames: schema.features,
      classLabels: schema.classes,
      modelName: 'iris',
    });
    const probabilities = predictBatch(model, table);
    const label = Array.from(classNumbers(probabilities, 3), (k) => schema.classes[k] ?? '');
    expected = { label, probabilities };

    const { run } = await mlflow.runs.open({
      experimentId: await mlflow.experiments.ensure(`python-${randomUUID()}`),
      name: 'iris',
      identity: { pipelineKey: freshKey(), workflowId: 'w', workflowRunId: 'w1' },
      tags: {},
      params: {},
      datasets: [{ name: 'iris.csv', digest: 'f'.repeat(64), source: 'data/iris.csv' }],
    });
    await uploadModel(mlflow, run.artifactUri, { schema, onnx, runId: run.runId, createdAt });
    await mlflow.runs.finish(run.runId, 'FINISHED', {
      tags: modelHistoryTag(directoryInput({ schema, onnx, runId: run.runId, createdAt })),
    });
    const source = `runs:/${run.runId}/${MODEL_PATH}`;
    const version = await mlflow.registry.findOrCreateVersion({ name, runId: run.runId, source, tags: {} });
    await mlflow.registry.setAlias(name, 'production', version.version);

    const python = process.env['RETRAIN_TEST_MLFLOW_PYTHON'] ?? 'python3';
    const { stdout } = await promisify(execFile)(python, [join(__dirname, 'mlflow-load.py'), name, IRIS], {
      env: { ...process.env, MLFLOW_TRACKING_URI: settings.uri },
      maxBuffer: 10_000_000,
    });
    heard = JSON.parse(stdout) as Heard;
  }, 120_000);

  afterAll(() => mlflow.close());

  test.each(['frame', 'array', 'by_version'] as const)(
    'all 150 rows get our labels and probabilities (%s)',
    (how) => {
      expect(heard[how].label).toEqual(expected.label);
      const theirs = heard[how].probabilities.flat();
      expect(theirs).toHaveLength(450);
      theirs.forEach((value, i) =>
        expect(Math.abs(value - (expected.probabilities[i] ?? NaN))).toBeLessThan(1e-6),
      );
    },
  );

  test('the input example has the columns’ names and predicts', () => {
    expect(heard.example_columns).toEqual(['sepal_length', 'sepal_width', 'petal_length', 'petal_width']);
    expect(heard.example.label).toEqual(expected.label.slice(0, 5));
  });

  test('the signature is, to the letter, the one that MLflow would write', () => {
    expect(heard.signature_equal).toBe(true);
  });

  test('the server itself can read the version’s files, for its page', async () => {
    const url = new URL(`${settings.uri}/model-versions/get-artifact`);
    url.search = new URLSearchParams({ name, version: '1', path: 'MLmodel' }).toString();
    const reply = await fetch(url);
    expect(await reply.text()).toContain('flavors:');
  });

  test('the metadata, the time, the graph and the dataset arrive', () => {
    expect(heard.metadata).toMatchObject({
      label_type: 'str',
      target: 'species',
      feature_names: ['sepal_length', 'sepal_width', 'petal_length', 'petal_width'],
      class_labels: ['setosa', 'versicolor', 'virginica'],
    });
    expect(heard.created).toBe('2026-01-31 12:00:00.123000');
    expect(heard.graph).toBe('iris');
    expect(heard.dataset).toBe('data/iris.csv');
  });
});
