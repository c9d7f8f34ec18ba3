import { scoreSignals } from '../../../ml/metrics/signals';
import { EvaluateParams, Params } from '../../../contracts/params';

const RULE = { from: 'price', buy: 0.05, sell: -0.05 };

test('signals are counted by what was said and what came; rows without an amount get none', () => {
  const from = [100, 100, 100, 100, 0, Number.NaN];
  const truth = Float64Array.of(110, 100, 90, 110, 5, 5);
  const predicted = Float64Array.of(106, 107, 94, 100, 5, 5);
  expect(scoreSignals(RULE, from, truth, predicted)).toEqual({
    ...RULE,
    rows: 4,
    right: 2,
    signals: [
      { signal: 'buy', rows: 2, came: 2, right: 1, meanChange: expect.closeTo(0.05, 12) as number },
      { signal: 'hold', rows: 1, came: 1, right: 0, meanChange: expect.closeTo(0.1, 12) as number },
      { signal: 'sell', rows: 1, came: 1, right: 1, meanChange: expect.closeTo(-0.1, 12) as number },
    ],
  });
  const none = scoreSignals(RULE, [0], Float64Array.of(1), Float64Array.of(1));
  expect([none.rows, none.signals.map(({ meanChange }) => meanChange)]).toEqual([0, [null, null, null]]);
});

test('a rule is for numbers, and its two shares do not cross', () => {
  expect(() => EvaluateParams.parse({ signal: { ...RULE, buy: -0.1 } })).toThrow('must be above sell');
  const params = {
    experiment: 'e',
    model: 'm',
    data: { path: 'd.csv', target: 'y' },
    evaluate: { signal: RULE },
  };
  expect(() => Params.parse(params)).toThrow('is for predicted numbers, not for task: classification');
  expect(Params.parse({ ...params, task: 'regression' }).evaluate.signal).toEqual(RULE);
});
