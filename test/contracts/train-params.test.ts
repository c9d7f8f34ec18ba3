import { TrainParams } from '../../contracts/train-params';

const messages = (params: object): string[] => {
  const { error } = TrainParams.safeParse(params);
  return (error?.issues ?? []).map((issue) => `${issue.path.join('.')} ${issue.message}`);
};

test('an option of another trainer is refused, with what this one takes', () => {
  expect(messages({ engine: 'ml-random-forest', max_features: 3 })).toEqual([
    'max_features is not taken by random-forest with engine ml-random-forest',
  ]);
  expect(messages({ engine: 'histogram', algorithm: 'logistic-regression', learning_rate: 0.2 })).toEqual([
    'learning_rate is not taken by logistic-regression with engine histogram; it takes: c, max_iter',
  ]);
});

test('an engine that does not train the algorithm is refused, with those that do', () => {
  expect(messages({ engine: 'ml-random-forest', algorithm: 'extra-trees' })).toEqual([
    'engine does not train extra-trees; engines that do: histogram',
  ]);
});

test('a moving average goes over columns that are named, and over no more than there are', () => {
  const algorithm = 'moving-average';
  expect(messages({ algorithm })).toEqual([
    'lags is missing: name the columns that are averaged, the newest first, such as [price, price_lag_1]',
  ]);
  expect(messages({ algorithm, lags: ['a', 'b'], window: 7 })).toEqual([
    'window must be ≤ 2, as many as there are lags; make more lags in preprocess.sql, or lower it',
  ]);
  expect(messages({ algorithm, lags: ['a', 'b', 'a'] })).toEqual(['lags names "a" twice']);
  expect(messages({ algorithm, lags: ['a', 'b'], window: 2 })).toEqual([]);
  expect(messages({ algorithm: 'mean', lags: ['a'] })).toEqual([
    'lags is not taken by mean with engine histogram',
  ]);
});

test('a container’s own code takes what it takes', () => {
  const params = {
    executor: 'container',
    image: 'retrain/train:1',
    engine: 'ml-random-forest',
    max_features: 3,
  };
  expect(messages(params)).toEqual([]);
});
