import type { FeatureMatrix } from '../dataset/matrix';
import type { Forest } from '../forest/forest';
import { predictBatch } from '../forest/predict';
import { predictLinear, type LinearModel } from '../linear/linear-model';

/** What a trainer makes, and what `encodeOnnx` takes. */
export type Model = Forest | LinearModel;

/**
 * Predicts all rows of a table `[n, d]`: `[n, K]` class probabilities or `[n, 1]` values, row-major.
 * @throws RetrainError MODEL_INVALID when the table is not d wide
 */
export function predict(model: Model, table: FeatureMatrix): Float64Array {
  return model.kind === 'forest' ? predictBatch(model, table) : predictLinear(model, table);
}
