import { type Column, type RawTable } from '../../../ml/dataset/raw-table';
import { Random } from '../../../ml/random/random';

/** A table of two numbers, a class and a group; about one row in ten is a copy of another, unless `copies` is 0. */
export function generated(rows: number, classes: number, seed: number, copies = 0.1): RawTable {
  const random = new Random(seed);
  const a = new Float64Array(rows);
  const b = new Float64Array(rows);
  const y = new Int32Array(rows);
  const group = new Int32Array(rows);
  for (let row = 0; row < rows; row++) {
    const from = row > 0 && random.float() < copies ? random.below(row) : -1;
    a[row] = from === -1 ? random.float() : (a[from] ?? 0);
    b[row] = from === -1 ? random.below(50) : (b[from] ?? 0);
    y[row] = from === -1 ? Math.floor(random.float() ** 2 * classes) : (y[from] ?? 0);
    group[row] = random.below(Math.ceil(rows / 4));
  }
  const levels = (letter: string, count: number): string[] =>
    Array.from({ length: count }, (_, k) => `${letter}${k}`);
  const columns: Column[] = [
    { kind: 'number', name: 'a', values: a },
    { kind: 'number', name: 'b', values: b },
    { kind: 'text', name: 'y', codes: y, levels: levels('k', classes) },
    { kind: 'text', name: 'group', codes: group, levels: levels('g', Math.ceil(rows / 4)) },
  ];
  return { file: 'd.csv', rows, columns };
}
