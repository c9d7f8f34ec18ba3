import { type Answers, type Label, type ServedModel } from '../model/served-model';

export type PredictMethod = 'predict' | 'predict_proba';

/** What `mlflow models serve` answers to the same rows: labels in the target's own type, numbers, or a list of probabilities per row. */
export function plainPredictions(
  model: ServedModel,
  rows: number,
  answers: Answers,
  method: PredictMethod,
): (Label | number | null | number[])[] | null {
  if (method === 'predict_proba') {
    const { probabilities } = answers;
    const width = model.classes.length;
    if (probabilities === null) return null;
    return Array.from({ length: rows }, (_, row) => [
      ...probabilities.subarray(row * width, (row + 1) * width),
    ]);
  }
  if (answers.values !== null) return [...answers.values];
  return answers.labels === null ? null : [...answers.labels];
}
