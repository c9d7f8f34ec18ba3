import type { LabelledMatrix } from '../../ml/dataset/matrix';
import { Random } from '../../ml/random/random';

/** Features of the table, in the manner of the "Give me some credit" data. */
export const FEATURES = 10;

/**
 * A synthetic table of that shape: heavy tails, many ties, counts with the codes 96 and 98, a fifth of the incomes
 * missing, about 7% positive. Seeded; values on shared memory.
 */
export function creditTable(rows: number, seed: number): LabelledMatrix {
  const random = new Random(seed);
  const values = new Float32Array(new SharedArrayBuffer(rows * FEATURES * 4));
  const labels = new Uint32Array(rows);
  for (let i = 0; i < rows; i++) {
    const strain = normal(random);
    const habit = normal(random);
    const wealth = normal(random);
    const used = random.float() < 0.07 ? 0 : 1 / (1 + Math.exp(0.9 - 1.8 * strain));
    const age = Math.max(21, Math.min(103, Math.round(52 + 14 * normal(random) - 3 * strain)));
    const late = (rarity: number): number =>
      poisson(Math.exp(-2.2 + 0.9 * habit + 0.35 * strain - rarity), random);
    let [late30, late60, late90] = [late(0), late(1), late(0.8)];
    if (random.float() < 0.0018) late30 = late60 = late90 = random.float() < 0.95 ? 98 : 96;
    const noIncome = random.float() < 0.198;
    const income = noIncome ? NaN : Math.round(Math.exp(8.6 + 0.6 * wealth));
    const debt = noIncome ? Math.round(Math.exp(6 + 1.5 * normal(random))) : Math.exp(normal(random) - 1.2);
    const lines = poisson(8.4, random);
    const loans = poisson(1, random);
    const dependents = random.float() < 0.026 ? NaN : poisson(0.76, random);
    const logit =
      -4.85 +
      1.9 * used +
      0.75 * Math.min(late30, 4) +
      1.05 * Math.min(late60, 3) +
      1.35 * Math.min(late90, 3) -
      0.025 * (age - 52) -
      0.4 * wealth +
      0.55 * strain +
      (lines > 12 ? 0.3 : 0) +
      0.3 * Math.min(debt, 2);
    [used, age, late30, debt, income, lines, late90, loans, late60, dependents].forEach((value, f) => {
      values[f * rows + i] = value;
    });
    labels[i] = random.float() < 1 / (1 + Math.exp(-logit)) ? 1 : 0;
  }
  return { values, rows, features: FEATURES, labels, classes: 2 };
}

/** Every fifth row is held out. */
export function splitRows(table: LabelledMatrix): { train: LabelledMatrix; held: LabelledMatrix } {
  const pick = (keep: (i: number) => boolean): LabelledMatrix => {
    const kept = Array.from({ length: table.rows }, (_, i) => i).filter(keep);
    const values = new Float32Array(new SharedArrayBuffer(kept.length * table.features * 4));
    for (let f = 0; f < table.features; f++) {
      kept.forEach((row, i) => (values[f * kept.length + i] = table.values[f * table.rows + row] ?? NaN));
    }
    const labels = Uint32Array.from(kept, (row) => table.labels[row] ?? 0);
    return { ...table, values, rows: kept.length, labels };
  };
  return { train: pick((i) => i % 5 !== 0), held: pick((i) => i % 5 === 0) };
}

/** Box and Muller. */
function normal(random: Random): number {
  return Math.sqrt(-2 * Math.log(1 - random.float())) * Math.cos(2 * Math.PI * random.float());
}

/** Knuth's product of uniforms: fine for small means. */
function poisson(mean: number, random: Random): number {
  const limit = Math.exp(-Math.min(mean, 30));
  let count = 0;
  for (let product = random.float(); product > limit; product *= random.float()) count++;
  return count;
}
