import { parse } from 'yaml';
import type { TableSchema } from '../../../contracts/stage';
import { labelType } from '../../../integrations/mlflow/label-type';
import { modelDirectory } from '../../../integrations/mlflow/model-directory';
import { modelMetadata } from '../../../integrations/mlflow/model-metadata';
import { Graph } from '../../../ml/onnx/graph';
import { directoryInput } from './upload-model';

const schema: TableSchema = {
  features: ['a', 'yes'],
  target: 't',
  classes: ['1e3', 'no', '~'],
  rows: { train: 8, test: 2 },
  example: [
    [1.5, NaN],
    [2, 3],
  ],
};

/** A model of prepared rows, as other trainers make them. */
function denseModel(): Uint8Array {
  const graph = new Graph();
  graph.input('input', 'float', ['N', 2]);
  graph.output('label', 'string', ['N']);
  graph.output('probabilities', 'float', ['N', 3]);
  return graph.finish('dense', {});
}

/** A model that takes each raw column by its name. */
function rawModel(): Uint8Array {
  const graph = new Graph();
  graph.input('a', 'float', ['N', 1]);
  graph.input('yes', 'string', ['N', 1]);
  graph.output('prediction', 'float', ['N']);
  return graph.finish('raw', {});
}

const input = { schema, onnx: denseModel(), runId: 'r1', createdAt: Date.UTC(2026, 0, 2) };
const made = (changes: object = {}) => modelDirectory(directoryInput({ ...input, ...changes }));
const files = (changes: object = {}): Map<string, string> =>
  new Map(made(changes).map(({ path, bytes }) => [path, Buffer.from(bytes).toString()]));

test('it has the files that MLflow’s format names beside model.onnx, MLmodel last', () => {
  expect([...files().keys()]).toEqual([
    'code/retrain_pyfunc.py',
    'requirements.txt',
    'python_env.yaml',
    'conda.yaml',
    'input_example.json',
    'serving_input_example.json',
    'MLmodel',
  ]);
});

test('what a model takes and gives, its graph says: prepared rows', () => {
  const read = parse(files().get('MLmodel') ?? '', { version: '1.1' }) as { signature: unknown };
  expect(read.signature).toEqual({
    inputs:
      '[{"type": "double", "name": "a", "required": true}, {"type": "double", "name": "yes", "required": true}]',
    outputs: '[{"type": "tensor", "tensor-spec": {"dtype": "str", "shape": [-1]}}]',
    params: '[{"name": "predict_method", "default": "predict", "shape": null, "type": "string"}]',
  });
});

test('what a model takes and gives, its graph says: raw columns by name', () => {
  const found = files({
    onnx: rawModel(),
    schema: {
      ...schema,
      features: ['a', 'yes=no'],
      inputs: [
        { kind: 'number', name: 'a', min: null, max: null, impute: 2 },
        { kind: 'category', name: 'yes', encoding: 'one-hot', levels: ['no'] },
      ],
      rawExample: [
        [1.5, 'no'],
        [null, null],
      ],
    },
  });
  const read = parse(found.get('MLmodel') ?? '', { version: '1.1' }) as {
    signature: { inputs: string; outputs: string };
    flavors: { python_function: object };
    metadata: object;
  };
  expect(read.signature.inputs).toBe(
    '[{"type": "double", "name": "a", "required": true}, {"type": "string", "name": "yes", "required": true}]',
  );
  expect(read.signature.outputs).toBe(
    '[{"type": "tensor", "tensor-spec": {"dtype": "float64", "shape": [-1]}}]',
  );
  expect(read.metadata).toMatchObject({ feature_names: ['a', 'yes'] });
  expect(read.flavors.python_function).toMatchObject({ code: 'code', loader_module: 'retrain_pyfunc' });
  expect(found.has('code/retrain_pyfunc.py')).toBe(true);
  expect(found.get('input_example.json')).toBe('{"columns":["a","yes"],"data":[[1.5,"no"],[null,null]]}');
  expect(JSON.parse(found.get('serving_input_example.json') ?? '')).toEqual({
    inputs: [
      { a: 1.5, yes: 'no' },
      { a: null, yes: null },
    ],
  });
});

test('the same input gives the same bytes', () => {
  expect(made(structuredClone(input))).toEqual(made());
});

test('class labels that YAML 1.1 takes for numbers, booleans or null stay text', () => {
  const read = parse(files().get('MLmodel') ?? '', { version: '1.1' }) as { metadata: unknown };
  expect(read.metadata).toEqual({
    target: 't',
    feature_names: ['a', 'yes'],
    class_labels: ['1e3', 'no', '~'],
    label_type: 'str',
    model_content: {
      sha256: expect.stringMatching(/^[0-9a-f]{64}$/) as string,
      md5: expect.stringMatching(/^[0-9a-f]{32}$/) as string,
      sizeBytes: input.onnx.byteLength,
    },
  });
});

test('a missing number of the example is null', () => {
  expect(files().get('input_example.json')).toBe('{"columns":["a","yes"],"data":[[1.5,null],[2,3]]}');
});

test('the requirements are pinned, and the same for pip and conda', () => {
  const pins = (files().get('requirements.txt') ?? '').trim().split('\n');
  for (const pin of pins) expect(pin).toMatch(/^[a-z]+==\d+(\.\d+)+$/);
  const conda = parse(files().get('conda.yaml') ?? '') as { dependencies: unknown[] };
  expect(conda.dependencies.at(-1)).toEqual({ pip: pins });
});

test('the metadata file names the model’s bytes by hash and size', () => {
  const { bytes } = modelMetadata({
    ...input,
    modelType: 'random-forest',
    trainedAt: input.createdAt,
    experimentId: '7',
    metrics: { accuracy: 0.9 },
    lineage: { dataHash: 'd', paramsHash: 'p', codeHash: 'c', pipelineKey: 'k', gitCommit: '' },
    data: { md5: 'm', sizeBytes: 5 },
    model: { name: 'model.onnx', sha256: 'a'.repeat(64), md5: 'b'.repeat(32), sizeBytes: 3 },
  });
  expect(JSON.parse(Buffer.from(bytes).toString())).toMatchObject({
    model_type: 'random-forest',
    trained_at: '2026-01-02T00:00:00.000Z',
    mlflow_experiment_id: '7',
    hashes: { data_hash: 'd', data_md5: 'm', model_sha256: 'a'.repeat(64), model_md5: 'b'.repeat(32) },
    sizes: { data_bytes: 5, model_bytes: 3, train_rows: 8, test_rows: 2 },
  });
});

test.each<[readonly string[], string]>([
  [['0', '1'], 'int64'],
  [['-1', '1', '20'], 'int64'],
  [['0.5', '1.0', '2'], 'float64'],
  [['False', 'True'], 'bool'],
  [['setosa', '1'], 'str'],
  [['001', '002'], 'str'],
  [['1.50', '2.25'], 'str'],
  [['1e3', '2'], 'str'],
  [['9007199254740993', '1'], 'str'],
  [[], 'str'],
])('labels %j are %s in Python', (classes, type) => {
  expect(labelType(classes)).toBe(type);
});
