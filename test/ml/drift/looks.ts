import { type Column } from '../../../ml/dataset/raw-table';
import { type Random } from '../../../ml/random/random';

export const numbers = (name: string, values: ArrayLike<number>): Column => ({
  kind: 'number',
  name,
  values: Float64Array.from(values),
});

export function texts(name: string, values: readonly (string | null)[]): Column {
  const levels = [...new Set(values.filter((value) => value !== null))];
  const codeOf = new Map(levels.map((level, code) => [level, code]));
  const codes = Int32Array.from(values, (value) => (value === null ? -1 : codeOf.get(value)!));
  return { kind: 'text', name, codes, levels };
}

/** A value near 0, as of a normal distribution. */
const bell = (random: Random): number =>
  Math.sqrt(-2 * Math.log1p(-random.float())) * Math.cos(2 * Math.PI * random.float());

/** A table of columns of different looks: smooth, skewed, with many ties, with gaps, texts with a long tail. */
export function table(rows: number, random: Random, shift = 0): Column[] {
  const list = <T>(make: () => T): T[] => Array.from({ length: rows }, make);
  const level = (): string => `level ${Math.floor(random.float() ** -0.7) - 1}`;
  return [
    numbers(
      'bell',
      list(() => bell(random) + shift),
    ),
    numbers(
      'skewed',
      list(() => Math.exp(2 * bell(random))),
    ),
    numbers(
      'tied',
      list(() => Math.floor(random.float() ** 3 * 6)),
    ),
    numbers(
      'gaps',
      list(() => (random.below(4) === 0 ? Number.NaN : random.float())),
    ),
    texts(
      'tail',
      list(() => (random.below(50) === 0 ? null : level())),
    ),
  ];
}
