import { Random } from '../../../ml/random/random';

/** Somebody of whom a model says whether they will buy; null: not known. */
export interface Person {
  age: number | null;
  height_cm: number | null;
  income: number | null;
  city: string | null;
  /** 1 in everybody. */
  one: number;
  buys: string;
}

const CITIES = ['Oslo', 'Bergen', 'Troms\u00f8', 'Bod\u00f8'];

/** People drawn from one distribution: whoever asks for other seeds gets other people, and no drift. */
export function people(count: number, seed: number): Person[] {
  const random = new Random(seed, 4242);
  const bell = (): number =>
    Math.sqrt(-2 * Math.log1p(-random.float())) * Math.cos(2 * Math.PI * random.float());
  return Array.from({ length: count }, () => {
    const age = Math.round(45 + 12 * bell());
    const income = Math.round(300 * Math.exp(0.5 * bell())) / 10;
    const buys = age / 12 + income / 10 + bell() > 7 ? 'yes' : 'no';
    return {
      age,
      height_cm: Math.round(1720 + 90 * bell()) / 10,
      // A tenth does not tell.
      income: random.below(10) === 0 ? null : income,
      city: random.below(20) === 0 ? null : CITIES[random.below(random.below(4) + 1)]!,
      one: 1,
      buys,
    };
  });
}

/** As CSV, with some columns. */
export function csv(rows: readonly Person[], columns: readonly (keyof Person)[]): string {
  const lines = rows.map((row) => columns.map((column) => row[column] ?? '').join(','));
  return [columns.join(','), ...lines, ''].join('\n');
}

export const FEATURES = ['age', 'height_cm', 'income', 'city', 'one'] as const;
