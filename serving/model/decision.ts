import { type Label, type ServedModel } from './served-model';

/** The class that a cut-off decides for, by what a model says of one row. */
export interface Decision {
  /** The class's place among the model's, whose probability decides. */
  readonly positive: number;
  /** @param probability of that class */
  of(probability: number): Label;
}

/** What the cut-off of the evaluation decides; null: there is none, or the model has other than two classes. */
export function decisionOf({ classes, cutoff }: Pick<ServedModel, 'classes' | 'cutoff'>): Decision | null {
  if (cutoff === null || classes.length !== 2) return null;
  const positive = classes.indexOf(cutoff.positive);
  const negative = classes[1 - positive];
  if (positive === -1 || negative === undefined) return null;
  return {
    positive,
    of: (probability) => (probability >= cutoff.threshold ? cutoff.positive : negative),
  };
}
