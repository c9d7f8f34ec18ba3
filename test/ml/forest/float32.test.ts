import * as fc from 'fast-check';
import { largestFloat32Below, thresholdBetween } from '../../../ml/forest/float32';
import { float32 } from './arbitrary-forest';

const midpoints = fc.tuple(float32, float32).map(([a, b]) => (a + b) / 2);

test('x <= largestFloat32Below(bound) decides as x < bound, for every float32 x', () => {
  const bounds = fc.oneof(midpoints, fc.double({ noNaN: true })).filter((bound) => bound !== -Infinity);
  const property = fc.property(bounds, float32, (bound, other) => {
    const threshold = largestFloat32Below(bound);
    expect(Math.fround(threshold)).toBe(threshold);
    for (const x of [other, threshold, Math.fround(bound), -0, 0]) expect(x <= threshold).toBe(x < bound);
  });
  fc.assert(property, { numRuns: 2000 });
});

test('a threshold between two float32 values keeps them apart', () => {
  const property = fc.property(float32, float32, (a, b) => {
    fc.pre(a !== b);
    const [below, above] = a < b ? [a, b] : [b, a];
    const threshold = thresholdBetween(below, above);
    expect(Math.fround(threshold)).toBe(threshold);
    expect(below <= threshold).toBe(true);
    expect(above <= threshold).toBe(false);
  });
  fc.assert(property, { numRuns: 2000 });
});

test('the threshold is the midpoint where float32 has one', () => {
  expect(thresholdBetween(1, 2)).toBe(1.5);
  expect(thresholdBetween(-(2 ** 127), 2 ** 127 * 1.5)).toBe(2 ** 125);
  expect(thresholdBetween(1, 1 + 2 ** -23)).toBe(1);
});
