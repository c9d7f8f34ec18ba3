import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { RetrainError } from '../../contracts/errors';
import { loadParams } from '../../pipeline/run/load-params';

const GOOD = `experiment: iris
model: iris-classifier
data:
  path: data/iris.csv
  target: species
`;

async function load(text: string, overrides = {}): Promise<unknown> {
  const project = await mkdtemp(path.join(tmpdir(), 'params-'));
  await writeFile(path.join(project, 'params.yaml'), text);
  return loadParams(project, 'params.yaml', overrides);
}

describe('params.yaml', () => {
  test('gets its defaults filled in', async () => {
    expect(await load(GOOD)).toMatchObject({
      train: { n_estimators: 100, max_depth: null, seed: 42 },
      preprocess: { test_size: 0.2 },
      retry: { maximum_attempts: 3, initial_interval: '5s', backoff: 2 },
    });
  });

  test('takes overrides key by key and checks them too', async () => {
    expect(await load(GOOD, { train: { n_estimators: 7 } })).toMatchObject({
      train: { n_estimators: 7, seed: 42 },
    });
    await expect(load(GOOD, { train: { n_estimators: 0 } })).rejects.toThrow(
      'params.yaml: train.n_estimators must be ≥ 1, got 0',
    );
  });

  test.each([
    [
      'an unknown key, with the nearest known one',
      `${GOOD}train:\n  n_estimatrs: 5\n`,
      'params.yaml:7: unknown key n_estimatrs in train; did you mean n_estimators?',
    ],
    [
      'an unknown key at the top',
      `${GOOD}trian: {}\n`,
      'params.yaml:6: unknown key trian; did you mean train?',
    ],
    [
      'a comparison by a metric that the task has not',
      `${GOOD}task: regression\npromote:\n  metric: accuracy\n`,
      'params.yaml:8: promote.metric must be one of r2, mae, rmse with task: regression, got "accuracy"',
    ],
    [
      'a gate that no model can pass',
      `${GOOD}gate:\n  accuracy: 90\n`,
      'params.yaml:7: gate.accuracy must be ≤ 1: no model has a higher accuracy, so none would pass; 90 % is 0.9, got 90',
    ],
    [
      'the gate of a class that no model can pass',
      `${GOOD}gate:\n  recall: { fraud: 1.01 }\n`,
      'params.yaml:7: gate.recall.fraud must be ≤ 1: no model has a higher recall.fraud, so none would pass',
    ],
    [
      'the gate of a loss that no model can pass',
      `${GOOD}gate:\n  log_loss: -0.1\n`,
      'params.yaml:7: gate.log_loss must be ≥ 0: no model has a lower log_loss, so none would pass, got -0.1',
    ],
    [
      'a gate that the task has not',
      `${GOOD}gate:\n  r2: 0.5\n`,
      'params.yaml:7: gate.r2 is no metric of task: classification, which has accuracy, f1_score, precision, recall, balanced_accuracy, mcc, roc_auc, pr_auc, log_loss, brier_score, f1_score_macro, precision_macro, recall_macro, f1_score_weighted, precision_weighted, recall_weighted, got 0.5',
    ],
    [
      'an algorithm for the other task',
      `${GOOD}task: regression\ntrain:\n  algorithm: majority\n`,
      'params.yaml:8: train.algorithm is not for task: regression, got "majority"',
    ],
    [
      'a cut-off of a number',
      `${GOOD}task: regression\nevaluate:\n  threshold: { recall: 0.5 }\n`,
      'params.yaml:8: evaluate.threshold is for classes, not for task: regression, got {"recall":0.5}',
    ],
    [
      'a number that is too small',
      `${GOOD}train:\n  n_estimators: 0\n`,
      'params.yaml:7: train.n_estimators must be ≥ 1, got 0',
    ],
    [
      'a text where a number belongs',
      `${GOOD}train:\n  n_estimators: many\n`,
      'params.yaml:7: train.n_estimators must be a number, got "many"',
    ],
    [
      'a fraction where an integer belongs',
      `${GOOD}train: {n_estimators: 1.5}\n`,
      'params.yaml:6: train.n_estimators must be an integer, got 1.5',
    ],
    [
      'a missing key',
      'experiment: iris\nmodel: m\ndata:\n  path: x.csv\n',
      'params.yaml:3: data.target is missing; expected a string',
    ],
    ['a wrong word from a list', `${GOOD}preprocess: {impute: medain}\n`, 'did you mean median?'],
    [
      'a metric that there is not',
      `${GOOD}gate: {acuracy: 0.9}\n`,
      'unknown key acuracy in gate; did you mean accuracy?',
    ],
    [
      'a bad duration',
      `${GOOD}retry: {initial_interval: soon}\n`,
      'retry.initial_interval must be a duration such as 500ms, 5s, 10m or 2h, got "soon"',
    ],
    [
      'a model name with a slash',
      GOOD.replace('iris-classifier', 'a/b'),
      'params.yaml:2: model must be 1 to 100 letters',
    ],
    [
      'several mistakes, each with its line',
      `${GOOD}train:\n  n_estimators: 0\n  seed: -1\n  tree: 1\nmodl: x\n`,
      'params.yaml:7: train.n_estimators must be ≥ 1, got 0; params.yaml:8: train.seed must be ≥ 0, got -1; params.yaml:9: unknown key tree in train; known keys: ',
    ],
    ['broken YAML', 'experiment: [', 'params.yaml:1:14: not valid YAML'],
    ['an empty file', '', 'params.yaml: must hold a mapping such as "model: iris-classifier", got nothing'],
    ['a list', '- 1\n', 'params.yaml: must hold a mapping'],
  ])('refuses %s', async (_what, text, message) => {
    const error = await load(text).catch((caught: unknown) => caught);
    expect(error).toBeInstanceOf(RetrainError);
    expect((error as RetrainError).exitCode).toBe(2);
    expect((error as RetrainError).message).toContain(message);
    expect((error as RetrainError).message).not.toContain('\n');
  });

  test('a missing file says what to do', async () => {
    await expect(loadParams('.', 'nowhere.yaml')).rejects.toThrow(
      'nowhere.yaml: is not there; run in the project folder, or name the file with --params',
    );
  });
});
