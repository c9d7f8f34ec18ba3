import { type Column } from '../../../ml/dataset/raw-table';
import { type Random } from '../../../ml/random/random';

const bell = (random: Random): number =>
  Math.sqrt(-2 * Math.log1p(-random.float())) * Math.cos(2 * Math.PI * random.float());

/** Columns a and b, each like a bell, that go together by this correlation; and two that go with nothing. */
export function pairedTable(rows: number, correlation: number, random: Random): Column[] {
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
