import { type Column } from '../../../ml/dataset/raw-table';
import { jointDrift } from '../../../ml/drift/joint';
import { Random } from '../../../ml/random/random';

const bell = (random: Random): number =>
  Math.sqrt(-2 * Math.log1p(-random.float())) * Math.cos(2 * Math.PI * random.float());

/** Columns a and b, each like a bell, that go together by this correlation; and two that go with nothing. */
function table(rows: number, correlation: number, random: Random): Column[] {
  const a = Float64Array.from({ length: rows }, () => bell(random));
  const b = a.map((value) => correlation * value + Math.sqrt(1 - correlation ** 2) * bell(random));
  return [
    { kind: 'number', name: 'a', values: a },
    { kind: 'number', name: 'b', values: b },
    { kind: 'number', name: 'c', values: Float64Array.from({ length: rows }, () => random.float()) },
    {
      kind: 'text',
      name: 'd',
      codes: Int32Array.from({ length: rows }, () => random.below(4) - 1),
      levels: ['x', 'y', 'z'],
    },
  ];
}

const first = (columns: Column[], rows: number, times: number): Column[] =>
  columns.map((column) => {
    const at = Array.from({ length: rows * times }, (_, i) => i % rows);
    return column.kind === 'number'
      ? { ...column, values: Float64Array.from(at, (row) => column.values[row]!) }
      : { ...column, codes: Int32Array.from(at, (row) => column.codes[row]!) };
  });

test('columns that no longer go together are found, and named, though each alone is as it was', async () => {
  const random = new Random(1);
  const found = await jointDrift(table(1500, 0.9, random), table(600, -0.9, random), {
    leastAuc: 0.6,
    seed: 0,
  });
  expect(found.auc).toBeGreaterThan(0.8);
  expect(found.chance).toBeLessThan(1e-6);
  expect(found.columns.slice(0, 2).sort()).toEqual(['a', 'b']);
  expect(found.low).toBeLessThan(found.auc);
  expect(found.high).toBeGreaterThan(found.auc);
});

test('rows of the same kind cannot be told, also when one of them was sent a hundred times', async () => {
  const random = new Random(2);
  const before = table(1000, 0.5, random);
  const same = await jointDrift(before, table(300, 0.5, random), { leastAuc: 0.6, seed: 0 });
  expect(same.low).toBeLessThan(0.5);
  expect(same.high).toBeGreaterThan(0.5);
  const repeated = await jointDrift(before, first(table(5, 0.5, random), 5, 100), { leastAuc: 0.6, seed: 0 });
  expect(repeated.chance).toBeGreaterThan(0.01);
});

test('of rows that share nothing the area is 1, and no more; one row alone, sent many times, is no error', async () => {
  const names = (letter: string, rows: number): Column[] => [
    {
      ...{ kind: 'text', name: 'id', levels: Array.from({ length: rows }, (_, i) => `${letter}${i}`) },
      codes: Int32Array.from({ length: rows }, (_, i) => i),
    },
  ];
  const found = await jointDrift(names('a', 500), names('b', 300), { leastAuc: 0.6, seed: 0 });
  expect(found.auc).toBeGreaterThan(0.99);
  expect(found.auc).toBeLessThanOrEqual(1);
  const random = new Random(4);
  const one = first(table(1, 0.5, random), 1, 200);
  await expect(jointDrift(table(300, 0.5, random), one, { leastAuc: 0.6, seed: 0 })).resolves.toBeDefined();
});

test('the training rows themselves, sent again, are no drift', async () => {
  const before = table(800, 0.5, new Random(3));
  const found = await jointDrift(before, first(before, 400, 1), { leastAuc: 0.6, seed: 0 });
  expect(found.chance).toBeGreaterThan(0.5);
});

test('the share of 95 % intervals that hold a half is about that, where nothing has drifted', async () => {
  const checks = 30;
  let held = 0;
  for (let check = 0; check < checks; check++) {
    const random = new Random(check, 77);
    const { low, high } = await jointDrift(table(150, 0.3, random), table(100, 0.3, random), {
      leastAuc: 0.6,
      seed: check,
    });
    if (low <= 0.5 && high >= 0.5) held++;
  }
  // Of 30, 25 are fewer than come by chance alone once in 100 times.
  expect(held).toBeGreaterThan(24);
});
