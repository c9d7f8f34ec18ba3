import { DriftParams, falseAlarmsPerCheck, windowMs } from '../../contracts/drift-params';
import { parseParams } from '../../contracts/parse-params';
import { paramsHash } from '../../ml/hashing/pipeline-key';

const params = (drift: unknown) => ({
  experiment: 'iris',
  model: 'iris-classifier',
  data: { path: 'data/iris.csv', target: 'species' },
  ...(drift === undefined ? {} : { drift }),
});

test.each([
  [{ false_alarms: '1 per 30 days' }, 1 / 30],
  [{ false_alarms: '1 per 30 days', checks_per_day: 24 }, 1 / 720],
  [{ false_alarms: '2 per year', checks_per_day: 0.5 }, 4 / 365],
  [{ false_alarms: '1 per week' }, 1 / 7],
  [{ false_alarms: 0.01, checks_per_day: 24 }, 0.01],
])('%j is a chance of %d for each check', (given, chance) => {
  expect(falseAlarmsPerCheck(DriftParams.parse(given))).toBeCloseTo(chance, 12);
});

test.each([
  ['12h', 12],
  ['7d', 168],
  ['2w', 336],
  ['1.5d', 36],
])('a window of %s has %d hours', (text, hours) => {
  expect(windowMs(text)).toBe(hours * 3_600_000);
});

test.each([
  [{ false_alarms: '5 per day' }, /drift\.false_alarms is an alarm or more for each check/],
  [{ false_alarms: 'never' }, /drift\.false_alarms/],
  [{ false_alarms: 1 }, /drift\.false_alarms/],
  [{ window: 'a week' }, /drift\.window must be a span such as 12h, 7d or 2w/],
  [{ window: '0d' }, /drift\.window must be longer than nothing/],
  [{ tresholds: 1 }, /unknown key tresholds in drift/],
  [{ auc: 0.4 }, /drift\.auc/],
])('%j is refused in words', (drift, words) => {
  expect(() => parseParams(params(drift), 'params.yaml')).toThrow(words);
});

test('how a model is watched is no part of the name of a run', () => {
  const watched = parseParams(params({ false_alarms: '1 per week' }), 'params.yaml');
  expect(paramsHash(watched)).toBe(paramsHash(parseParams(params(undefined), 'params.yaml')));
});
