import { existsSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import type { FeatureMatrix } from '../dataset/matrix';
import type { Forest } from '../forest/forest';
import { predictBatch } from '../forest/predict';
import { predictInThreads, PREDICT_THREAD_ENTRY } from '../forest/predict-in-threads';
import { predictLinear, type LinearModel } from '../linear/linear-model';
import { type MovingAverage, predictMovingAverage } from '../moving-average/moving-average';

/** What a trainer makes, and what `encodeOnnx` takes. */
export type Model = Forest | LinearModel | MovingAverage;

/**
 * Predicts all rows of a table `[n, d]`: `[n, K]` class probabilities or `[n, 1]` values, row-major.
 * @throws RetrainError MODEL_INVALID when the table is not d wide
 */
export function predict(model: Model, table: FeatureMatrix): Float64Array {
  switch (model.kind) {
    case 'forest':
      return predictBatch(model, table);
    case 'linear':
      return predictLinear(model, table);
    case 'moving-average':
      return predictMovingAverage(model, table);
  }
}

/** Rows × trees from which threads are worth the 50 ms that they take to start. */
const WORTH_THREADS = 5_000_000;

/** `predict` in as many threads as there are cores, where that is worth it. */
export async function predictTable(model: Model, table: FeatureMatrix): Promise<Float64Array> {
  const large = model.kind === 'forest' && table.rows * model.trees.length >= WORTH_THREADS;
  if (!large || !existsSync(PREDICT_THREAD_ENTRY)) return predict(model, table);
  return predictInThreads(model, table, { threads: availableParallelism() });
}
