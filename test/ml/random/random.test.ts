import { Random } from '../../../ml/random/random';

const take = (random: Random, count: number): number[] =>
  Array.from({ length: count }, () => random.uint32());

describe('Random', () => {
  it('gives the same sequence for the same seed and another for the next seed or stream', () => {
    expect(take(new Random(42), 5)).toEqual(take(new Random(42), 5));
    expect(take(new Random(42), 5)).not.toEqual(take(new Random(43), 5));
    expect(take(new Random(42, 0), 5)).not.toEqual(take(new Random(42, 1), 5));
  });

  it('stays within its bounds and reaches both ends', () => {
    const random = new Random(1);
    const draws = Array.from({ length: 2000 }, () => random.below(7));
    expect(new Set(draws)).toEqual(new Set([0, 1, 2, 3, 4, 5, 6]));
    for (let i = 0; i < 1000; i++) {
      const value = random.float();
      expect(value >= 0 && value < 1).toBe(true);
    }
  });

  it('is even: the chi-square of 100,000 draws into 100 cells is within 6 sigma', () => {
    const random = new Random(7);
    const cells = new Array<number>(100).fill(0);
    for (let i = 0; i < 100_000; i++) {
      const cell = random.below(100);
      cells[cell] = (cells[cell] ?? 0) + 1;
    }
    const chiSquare = cells.reduce((sum, seen) => sum + (seen - 1000) ** 2 / 1000, 0);
    expect(Math.abs(chiSquare - 99)).toBeLessThan(6 * Math.sqrt(2 * 99));
  });

  it('shuffles without losing or repeating an item', () => {
    const shuffled = new Random(3).shuffle(Array.from({ length: 50 }, (_, i) => i));
    expect([...shuffled].sort((a, b) => a - b)).toEqual(Array.from({ length: 50 }, (_, i) => i));
    expect(shuffled).not.toEqual(Array.from({ length: 50 }, (_, i) => i));
  });
});

test('a tally counts what single draws would give, and leaves the generator where they would', () => {
  for (const size of [1, 2, 3, 7, 1000]) {
    const [one, many] = [new Random(5, size), new Random(5, size)];
    const counts = new Float64Array(size);
    many.tally(counts);
    const expected = new Float64Array(size);
    for (let i = 0; i < size; i++) expected[one.below(size)]!++;
    expect(counts).toEqual(expected);
    expect(many.uint32()).toBe(one.uint32());
  }
});
