import { compareSlices } from '../../../ml/gate/compare-slices';
import { intervalOf, pairedDifferences } from '../../../ml/gate/paired-difference';
import { drawWeights } from '../../../ml/metrics/bootstrap';
import { columnOf } from '../../../ml/dataset/raw-table';
import { Random } from '../../../ml/random/random';
import { tableOf } from '../dataset/table-of';

/** Share of rows that a model is right about. */
const accuracy =
  (right: readonly number[]) =>
  (weights?: Float64Array): Record<string, number> => {
    const weight = (row: number): number => weights?.[row] ?? 1;
    const total = right.reduce((sum, _, row) => sum + weight(row), 0);
    return {
      accuracy: right.reduce((sum, one, row) => sum + one * weight(row), 0) / total,
      other: Number.NaN,
    };
  };

/** Both on the rows as they are, and on draws of them. */
function compared(
  rows: number,
  pair: ReturnType<typeof accuracy>[],
  { resamples, seed }: { resamples: number; seed: number },
): ReturnType<typeof pairedDifferences> {
  const weights = new Float64Array(rows);
  const drawn = Array.from({ length: resamples }, (_, draw) => {
    drawWeights(weights, seed, draw);
    return pair.map((measure) => measure(weights));
  });
  return pairedDifferences(
    pair.map((measure) => measure()),
    drawn,
  );
}

describe('pairedDifferences', () => {
  const rows = 400;
  const random = new Random(3);
  const mine = Array.from({ length: rows }, () => (random.float() < 0.9 ? 1 : 0));
  const its = mine.map((one) => (random.float() < 0.1 ? 0 : one));

  it('draws the same rows for both, so equal models never differ', () => {
    const found = compared(rows, [accuracy(mine), accuracy(mine)], { resamples: 50, seed: 1 });
    expect(found['accuracy']).toEqual({ value: 0, draws: new Array(50).fill(0) });
    expect(Object.keys(found)).toEqual(['accuracy']);
  });

  it('has the interval of the normal approximation, and the same one again', () => {
    const options = { resamples: 2000, seed: 42 };
    const found = compared(rows, [accuracy(mine), accuracy(its)], options);
    const differences = mine.map((one, row) => one - (its[row] ?? 0));
    const mean = differences.reduce((sum, one) => sum + one, 0) / rows;
    const error = Math.sqrt(differences.reduce((sum, one) => sum + (one - mean) ** 2, 0)) / rows;
    expect(found['accuracy']?.value).toBeCloseTo(mean, 12);
    const [low, high] = intervalOf(found['accuracy']!, 0.95) ?? [Number.NaN, Number.NaN];
    expect(Math.abs(low - (mean - 1.96 * error))).toBeLessThan(0.15 * error);
    expect(Math.abs(high - (mean + 1.96 * error))).toBeLessThan(0.15 * error);
    expect(found['accuracy']?.draws).toHaveLength(401);
    expect(compared(rows, [accuracy(mine), accuracy(its)], options)).toEqual(found);
  });

  it('has no interval without draws', () => {
    const found = compared(rows, [accuracy(mine), accuracy(its)], { resamples: 0, seed: 1 });
    expect(intervalOf(found['accuracy']!, 0.95)).toBeNull();
  });
});

describe('compareSlices', () => {
  it('takes the values of a text or of a few numbers, and the quarters of many', () => {
    const rows = 200;
    const table = tableOf({
      region: Array.from({ length: rows }, (_, row) => (row < 150 ? 'north' : row < 190 ? null : 'rare')),
      sex: Array.from({ length: rows }, (_, row) => row % 2),
      age: Array.from({ length: rows }, (_, row) => row),
    });
    const mine = Float64Array.from({ length: rows }, (_, row) => row % 2);
    const its = new Float64Array(rows).fill(0.5);
    const { slices, sliced } = compareSlices(
      ['region', 'sex', 'age'].map((name) => columnOf(table, name)),
      mine,
      its,
    );
    expect(sliced).toEqual(['region', 'sex', 'age']);
    expect(
      slices.map(({ column, slice, rows: count, candidate }) => [column, slice, count, candidate]),
    ).toEqual([
      ['region', 'north', 150, 0.5],
      ['region', 'missing', 40, 0.5],
      ['sex', '0', 100, 0],
      ['sex', '1', 100, 1],
      ['age', '0 to 49.8', 50, 0.5],
      ['age', '49.8 to 99.5', 50, 0.5],
      ['age', '99.5 to 149', 50, 0.5],
      ['age', '149 to 199', 50, 0.5],
    ]);
    expect(slices.every(({ champion }) => champion === 0.5)).toBe(true);
  });
});
