import fc from 'fast-check';
import { fallingKeys, risingKeys } from '../../../ml/dataset/number-keys';
import { orderByKey } from '../../../ml/dataset/order-by-key';
import { sortFloats, sortNumbers } from '../../../ml/dataset/sort-numbers';
import { Random } from '../../../ml/random/random';

const numbers = fc.oneof(
  fc.array(fc.double({ noNaN: true }), { maxLength: 60 }),
  // Counts and ages, with many equals.
  fc.array(fc.integer({ min: -8, max: 30 }), { maxLength: 200 }),
  fc.array(fc.constantFrom(0, -0, 1e-320, -1e-320, Infinity, -Infinity, 2 ** 53, 0.1), { maxLength: 60 }),
);

test('numbers are sorted as the language sorts them', () => {
  fc.assert(
    fc.property(numbers, (values) => {
      const sorted = sortNumbers(Float64Array.from(values));
      const expected = Float64Array.from(values).sort();
      expect(sorted.length).toBe(expected.length);
      sorted.forEach((value, i) => expect(value === expected[i]).toBe(true));
    }),
  );
});

test('rows go by rising or falling numbers, equal ones in the order of the table', () => {
  fc.assert(
    fc.property(numbers, (list) => {
      const values = Float64Array.from(list);
      const rows = [...values.keys()];
      const difference = (a: number, b: number): number =>
        values[a] === values[b] ? a - b : values[a]! < values[b]! ? -1 : 1;
      const rising = orderByKey(risingKeys(values));
      expect([...rising.order]).toEqual(rows.toSorted(difference));
      const falling = orderByKey(fallingKeys(values));
      expect([...falling.order]).toEqual(
        rows.toSorted((a, b) => (values[a] === values[b] ? a - b : -difference(a, b))),
      );
      falling.order.forEach((row, place) => {
        const next = falling.order[place + 1];
        expect(falling.ends[place]).toBe(next === undefined || values[next] !== values[row] ? 1 : 0);
      });
    }),
  );
});

test.each<[string, (random: Random) => number]>([
  ['of both signs', (random) => random.float() - 0.5],
  ['of all sizes', (random) => (random.float() - 0.5) * 10 ** (random.below(600) - 300)],
  ['that share their upper word', (random) => 1 + random.below(3) + random.float() * 2 ** -40],
  [
    'with zeros of both signs, and infinities',
    (random) => [0, -0, Infinity, -Infinity, 0.5][random.below(5)]!,
  ],
])('many numbers %s are sorted as the language sorts them', (_what, draw) => {
  const random = new Random(7);
  const values = Float64Array.from({ length: 5000 }, () => draw(random));
  const expected = values.slice().sort();
  expect(sortNumbers(values.slice()).every((value, i) => Object.is(value, expected[i]))).toBe(true);
  const short = Float32Array.from(values);
  const shortExpected = short.slice().sort();
  // A part of a longer one, as columns are.
  const part = new Float32Array(5003).fill(1).subarray(3);
  part.set(short);
  expect(sortFloats(part).every((value, i) => Object.is(value, shortExpected[i]))).toBe(true);
});
