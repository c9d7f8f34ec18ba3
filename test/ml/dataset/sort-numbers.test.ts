import fc from 'fast-check';
import { fallingKeys, risingKeys } from '../../../ml/dataset/number-keys';
import { orderByKey } from '../../../ml/dataset/order-by-key';
import { sortNumbers } from '../../../ml/dataset/sort-numbers';

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
