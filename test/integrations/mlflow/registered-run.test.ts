import { parseParams } from '../../../contracts/parse-params';
import { recordedParams } from '../../../integrations/mlflow/recorded-params';
import { parseModelReference, recordedData } from '../../../integrations/mlflow/registered-run';
import { runParams } from '../../../integrations/mlflow/run-fields';
import { type MlflowRun } from '../../../integrations/mlflow/run-record';
import { paramsHash } from '../../../ml/hashing/pipeline-key';

const DATA = { path: 'data/a.csv', sha256: 'a'.repeat(64), md5: 'b'.repeat(32), sizeBytes: 7 };

/** A run as MLflow hands it out: every param a text. */
function runOf(raw: unknown): MlflowRun {
  const params = parseParams(raw, 'params.yaml');
  const flat = Object.entries(runParams({ params, data: DATA }));
  return {
    runId: 'r',
    experimentId: '1',
    name: 'run',
    status: 'FINISHED',
    startedAt: 0,
    endedAt: 0,
    artifactUri: '',
    deleted: false,
    tags: { params_hash: paramsHash(params), data_md5: DATA.md5, data_hash: DATA.sha256, data_size: '7' },
    params: Object.fromEntries(flat.map(([key, value]) => [key, String(value)])),
    metrics: {},
  };
}

const MINIMAL = { model: 'iris', experiment: 'x', data: { path: 'data/a.csv', target: 'y' } };

test.each([
  ['iris', { model: 'iris', by: { alias: 'production' } }],
  ['iris@staging', { model: 'iris', by: { alias: 'staging' } }],
  ['iris@3', { model: 'iris', by: { version: '3' } }],
  ['iris@v3', { model: 'iris', by: { version: '3' } }],
  ['iris/3', { model: 'iris', by: { version: '3' } }],
  ['models:/iris@production', { model: 'iris', by: { alias: 'production' } }],
])('%s names a model version', (text, reference) => {
  expect(parseModelReference(text)).toEqual(reference);
});

test.each(['', '@production', 'a b', 'a@b@c'])('%j names none', (text) => {
  expect(() => parseModelReference(text)).toThrow(/a model is named as iris@production or iris@3/);
});

test.each([
  MINIMAL,
  {
    ...MINIMAL,
    task: 'regression',
    preprocess: { drop: ['a', 'b.c'], rename: { old: 'new' }, seed: 7 },
    train: { max_depth: 3 },
    notify: { on: [] },
  },
  // Read as YAML, this would be a number.
  { ...MINIMAL, model: '123', experiment: '1e3' },
])('the params of a run are put together from what MLflow shows: %#', (raw) => {
  expect(recordedParams(runOf(raw))).toEqual(parseParams(raw, 'params.yaml'));
});

test('what does not fit the recorded hash is refused, the provenance preferred', () => {
  const run = runOf(MINIMAL);
  const other = { ...run, params: { ...run.params, 'train.n_estimators': '3' } };
  expect(() => recordedParams(other)).toThrow(/none fit the recorded hash/);
  expect(recordedParams(other, MINIMAL)).toEqual(parseParams(MINIMAL, 'params.yaml'));
  expect(() => recordedParams(other, { ...MINIMAL, train: { n_estimators: 3 } })).toThrow(/none fit/);
});

test('the data of a run are told, and that another program made it', () => {
  expect(recordedData(runOf(MINIMAL))).toEqual(DATA);
  expect(recordedData({ ...runOf(MINIMAL), tags: { data_md5: 'b', data_hash: 'a' } }).sizeBytes).toBeNull();
  expect(() => recordedData({ ...runOf(MINIMAL), tags: {} })).toThrow(/retrain did not make it/);
});
