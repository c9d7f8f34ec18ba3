import { type Column } from '../../../ml/dataset/raw-table';
import { permutationImportance, type PermutationInput } from '../../../ml/model/permutation-importance';

const bootstrap = { resamples: 200, level: 0.95, seed: 1 };
const random = (() => {
  let state = 1;
  return () => (state = (state * 48_271) % 2_147_483_647) / 2_147_483_647;
})();
const numbers = (name: string, rows: number): Column & { kind: 'number' } => ({
  kind: 'number',
  name,
  values: Float64Array.from({ length: rows }, () => 2 * random() - 1),
});

/** y = 3a + b, answered exactly; c is not looked at. */
function linear(rows: number): PermutationInput {
  const columns = ['a', 'b', 'c'].map((name) => numbers(name, rows));
  const answer = (given: readonly Column[]): Float64Array => {
    const [a, b] = given.map((column) => (column.kind === 'number' ? column.values : new Float64Array()));
    return a!.map((value, row) => 3 * value + b![row]!);
  };
  const truth = answer(columns);
  return {
    ...{ columns, rows, bootstrap, repeats: 5, shuffled: ['a', 'b', 'c'] },
    groups: new Uint32Array(rows),
    merit: (given) => Promise.resolve(answer(given).map((value, row) => -((value - truth[row]!) ** 2))),
  };
}

test('a squared error grows by twice the variance of what was shuffled, and the interval holds that', async () => {
  const found = await permutationImportance(linear(2000));
  // E (3a - 3a')² = 2 · 9 · Var(a), and Var of a uniform on -1 … 1 is 1/3.
  for (const [f, expected] of [6, 2 / 3, 0].entries()) {
    expect(found[f]?.mean).toBeCloseTo(expected, expected > 1 ? 0 : 1);
    const [low = NaN, high = NaN] = found[f]?.interval ?? [];
    expect(low).toBeLessThanOrEqual(found[f]?.mean ?? NaN);
    expect(high).toBeGreaterThanOrEqual(found[f]?.mean ?? NaN);
    expect(high - low).toBeLessThan(0.2 * expected + 1e-12);
  }
});

test('the same seed gives the same figures, whichever columns are shuffled besides', async () => {
  const input = linear(200);
  const all = await permutationImportance(input);
  expect(await permutationImportance(input)).toEqual(all);
  const [only] = await permutationImportance({ ...input, shuffled: ['b'] });
  expect(only?.mean).toBe(all[1]?.mean);
  const other = await permutationImportance({ ...input, bootstrap: { ...bootstrap, seed: 2 } });
  expect(other[0]?.mean).not.toBe(all[0]?.mean);
});

test('every class counts the same, however rare; without resamples there are no intervals', async () => {
  const rows = 100;
  const column = numbers('a', rows);
  const groups = Uint32Array.from({ length: rows }, (_, row) => (row < 10 ? 1 : 0));
  const [found] = await permutationImportance({
    ...{ columns: [column], rows, groups, shuffled: ['a'], repeats: 1 },
    bootstrap: { ...bootstrap, resamples: 0 },
    // The rare class is lost as soon as the column tells nothing, the others stay right.
    merit: ([given]) =>
      Promise.resolve(Float64Array.from(groups, (group) => (given === column ? 1 : 1 - group))),
  });
  expect(found).toEqual({ column: 'a', mean: expect.closeTo(0.5, 12) as number });
});
