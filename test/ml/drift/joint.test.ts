import { type Column } from '../../../ml/dataset/raw-table';
import { jointDrift } from '../../../ml/drift/joint';
import { Random } from '../../../ml/random/random';
import { pairedTable } from './paired-table';

const first = (columns: Column[], rows: number, times: number): Column[] =>
  columns.map((column) => {
    const at = Array.from({ length: rows * times }, (_, i) => i % rows);
    return column.kind === 'number'
      ? { ...column, values: Float64Array.from(at, (row) => column.values[row]!) }
      : { ...column, codes: Int32Array.from(at, (row) => column.codes[row]!) };
  });

test('columns that no longer go together are found, and named, though each alone is as it was', async () => {
  const random = new Random(1);
  const found = await jointDrift(pairedTable(1500, 0.9, random), pairedTable(600, -0.9, random), {
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
  const before = pairedTable(1000, 0.5, random);
  const same = await jointDrift(before, pairedTable(300, 0.5, random), { leastAuc: 0.6, seed: 0 });
  expect(same.low).toBeLessThan(0.5);
  expect(same.high).toBeGreaterThan(0.5);
  const repeated = await jointDrift(before, first(pairedTable(5, 0.5, random), 5, 100), {
    leastAuc: 0.6,
    seed: 0,
  });
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
  const one = first(pairedTable(1, 0.5, random), 1, 200);
  await expect(
    jointDrift(pairedTable(300, 0.5, random), one, { leastAuc: 0.6, seed: 0 }),
  ).resolves.toBeDefined();
});

test('the training rows themselves, sent again, are no drift', async () => {
  const before = pairedTable(800, 0.5, new Random(3));
  const found = await jointDrift(before, first(before, 400, 1), { leastAuc: 0.6, seed: 0 });
  expect(found.chance).toBeGreaterThan(0.5);
});
