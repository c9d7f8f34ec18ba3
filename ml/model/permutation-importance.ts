import { setImmediate as nextTurn } from 'node:timers/promises';
import type { FeatureMatrix } from '../dataset/matrix';
import { Random } from '../random/random';
import { predictTable, type Model } from './model';

export interface PermutationOptions {
  /** Shuffles per feature. */
  repeats: number;
  seed: number;
  /** Stops between two shuffles: it rejects with the signal's reason. */
  signal?: AbortSignal;
}

export interface PermutationImportance {
  /** `[d]` by how much the score falls when the feature's values are shuffled: mean over the repeats. */
  mean: Float64Array;
  /** `[d]` standard deviation over the repeats. */
  deviation: Float64Array;
}

/**
 * Permutation importance (Breiman, "Random forests", 2001) of each feature, on rows that the model was best not
 * trained on.
 * @param score of predictions `[n, K]` or `[n, 1]`, row-major; larger is better
 */
export async function permutationImportance(
  model: Model,
  table: FeatureMatrix,
  score: (predictions: Float64Array) => number,
  { repeats, seed, signal }: PermutationOptions,
): Promise<PermutationImportance> {
  const { rows, features } = table;
  const whole = score(await predictTable(model, table));
  const values = new Float32Array(new SharedArrayBuffer(4 * rows * features));
  values.set(table.values);
  const mean = new Float64Array(features);
  const deviation = new Float64Array(features);
  for (let f = 0; f < features; f++) {
    const column = table.values.subarray(f * rows, (f + 1) * rows);
    const falls: number[] = [];
    for (let r = 0; r < repeats; r++) {
      const order = new Random(seed, f * repeats + r).shuffle(Uint32Array.from(column.keys()));
      order.forEach((from, i) => (values[f * rows + i] = column[from]!));
      falls.push(whole - score(await predictTable(model, { values, rows, features })));
      await nextTurn();
      signal?.throwIfAborted();
    }
    values.set(column, f * rows);
    const average = falls.reduce((a, b) => a + b, 0) / repeats;
    mean[f] = average;
    deviation[f] = Math.sqrt(falls.reduce((sum, fall) => sum + (fall - average) ** 2, 0) / repeats);
  }
  return { mean, deviation };
}
