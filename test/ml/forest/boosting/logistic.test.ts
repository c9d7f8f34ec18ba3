import { logistic } from '../../../../ml/forest/boosting/logistic';

test('the quick logistic is 1 / (1 + e^-x)', () => {
  for (let x = -40; x <= 40; x += 0.009_7) {
    const exact = 1 / (1 + Math.exp(-x));
    expect(Math.abs(logistic(x) / exact - 1)).toBeLessThan(1e-11);
  }
});

test.each([
  [-Infinity, 0],
  [-1000, 0],
  [-16, 1 / (1 + Math.exp(16))],
  [0, 0.5],
  [16, 1 / (1 + Math.exp(-16))],
  [1000, 1],
  [Infinity, 1],
  [NaN, NaN],
])('of %d it is %d', (x, p) => {
  expect(logistic(x)).toBe(p);
});
