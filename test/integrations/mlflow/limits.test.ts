import * as fc from 'fast-check';
import { RUN_TAG } from '../../../contracts/names';
import { batches, LIMIT, validKey, validValue } from '../../../integrations/mlflow/limits';
import { resultFromTags, resultTags } from '../../../integrations/mlflow/result-tag';
import { trainingResult } from './training-result';

// What the server checks: mlflow/utils/validation.py of 3.17 (`validate_param_and_metric_name`, `path_not_unique`).
const PYTHON_NAME = /^[/\p{L}\p{N}_.\- :]*$/u;

test('a key that MLflow takes stays as it is', () => {
  for (const key of ['train.n_estimators', 'data_md5.data/iris.csv', 'größe 2: a-b', 'a']) {
    expect(validKey(key)).toBe(key);
  }
});

test('any key becomes one that MLflow takes, and two keys never the same', () => {
  const keys = fc.uniqueArray(fc.string({ minLength: 1, maxLength: 400, unit: 'grapheme' }), {
    maxLength: 20,
  });
  fc.assert(
    fc.property(keys, (given) => {
      const valid = given.map(validKey);
      for (const key of valid) {
        expect(key).toMatch(PYTHON_NAME);
        expect(key.length).toBeLessThanOrEqual(LIMIT.key);
        expect(key.split('/')).not.toContainEqual(expect.stringMatching(/^\.{0,2}$/));
      }
      expect(new Set(valid).size).toBe(given.length);
    }),
  );
});

test('a value within the limit stays, a longer one is cut to it and says its length', () => {
  expect(validValue('x'.repeat(6000), 6000)).toBe('x'.repeat(6000));
  const cut = validValue('x'.repeat(6001), 6000);
  expect(cut).toHaveLength(6000);
  expect(cut).toMatch(/^x+… \(cut, 6001 characters\)$/);
});

test('a cut never leaves half a character', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 3 }), (shift) => {
      const value = `${'x'.repeat(shift)}${'🌲'.repeat(100)}`;
      const cut = validValue(value, 60);
      expect(Buffer.from(cut, 'utf8').toString('utf8')).toBe(cut);
    }),
  );
});

test('batches keep order and size', () => {
  fc.assert(
    fc.property(fc.array(fc.integer()), fc.integer({ min: 1, max: 7 }), (items, size) => {
      const split = batches(items, size);
      expect(split.flat()).toEqual(items);
      for (const batch of split) expect(batch.length).toBeLessThanOrEqual(size);
    }),
  );
});

test('a result survives its tags, also when it is longer than one', () => {
  const metrics = Object.fromEntries(Array.from({ length: 600 }, (_, i) => [`précision ${i} 🌲`, i / 7]));
  for (const result of [trainingResult(), trainingResult({ metrics })]) {
    const tags = resultTags(result);
    for (const value of Object.values(tags)) expect(value.length).toBeLessThanOrEqual(LIMIT.tag);
    expect(resultFromTags({ ...tags, other: 'x' })).toEqual(result);
  }
  expect(Object.keys(resultTags(trainingResult({ metrics }))).length).toBeGreaterThan(3);
});

test('the gate of a result from before there was least and most is read: of a loss, minimum was the largest value', () => {
  const gate = [
    { metric: 'accuracy', minimum: 0.9, value: 0.95, passed: true },
    { metric: 'log_loss', minimum: 0.1, value: 0.2, passed: false },
  ];
  const old = JSON.stringify({ ...trainingResult(), gate });
  expect(resultFromTags({ [RUN_TAG.result]: old })?.gate).toEqual([
    { metric: 'accuracy', least: 0.9, value: 0.95, passed: true },
    { metric: 'log_loss', most: 0.1, value: 0.2, passed: false },
  ]);
});

test('tags without a result, or with one that is no longer read, have none', () => {
  expect(resultFromTags({})).toBeNull();
  expect(resultFromTags({ [RUN_TAG.result]: '{"outcome":' })).toBeNull();
  expect(resultFromTags({ [RUN_TAG.result]: '{"outcome":"unknown"}' })).toBeNull();
});
