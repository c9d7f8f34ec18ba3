import { type Scores } from '../../contracts/stage';
import { confusionMatrix } from './confusion';

type ClassScores = Scores['perClass'][number];
type Figure = 'precision' | 'recall' | 'f1';

/**
 * What is right and wrong of class predictions, as in scikit-learn with `zero_division=0` (docs/metrics.md has the formulas).
 * `precision`, `recall` and `f1_score` are those of the positive class, as `average='binary'` gives them; without a positive
 * class they are the macro means. A macro mean is over the classes that occur in the truth or the predictions, a weighted one goes by
 * their rows in the truth.
 *
 * @param truth `[n]` class numbers.
 * @param predicted `[n]` class numbers.
 * @param labels Names of the K classes.
 * @param positive Two classes: number of the one that the figures are about; undefined for more.
 * @param weights `[n]`; absent: 1 each.
 */
export function classificationScores(
  truth: Uint32Array,
  predicted: Uint32Array,
  labels: readonly string[],
  positive: number | undefined,
  weights?: ArrayLike<number>,
): Pick<Scores, 'metrics' | 'perClass' | 'confusion'> {
  const confusion = confusionMatrix(truth, predicted, labels.length, weights);
  const claims = labels.map((_, k) => sum(confusion.map((row) => row[k] ?? 0)));
  const perClass = labels.map((label, k) => classScores(label, k, confusion[k] ?? [], claims[k] ?? 0));
  const macro = averaged(perClass, (scores, k) => (scores.support + (claims[k] ?? 0) > 0 ? 1 : 0));
  const weighted = averaged(perClass, ({ support }) => support);
  const chosen = positive === undefined ? undefined : perClass[positive];
  const plain = chosen === undefined ? macro : (of: Figure) => chosen[of];
  const supports = perClass.map(({ support }) => support);
  return {
    metrics: {
      accuracy: ratio(hitsOf(confusion), sum(supports)),
      f1_score: plain('f1'),
      precision: plain('precision'),
      recall: plain('recall'),
      balanced_accuracy: averaged(perClass, ({ support }) => (support > 0 ? 1 : 0))('recall'),
      mcc: matthews(hitsOf(confusion), supports, claims),
      f1_score_macro: macro('f1'),
      precision_macro: macro('precision'),
      recall_macro: macro('recall'),
      f1_score_weighted: weighted('f1'),
      precision_weighted: weighted('precision'),
      recall_weighted: weighted('recall'),
    },
    perClass,
    confusion,
  };
}

function classScores(label: string, k: number, row: readonly number[], claimed: number): ClassScores {
  const hits = row[k] ?? 0;
  const support = sum(row);
  return {
    label,
    precision: ratio(hits, claimed),
    recall: ratio(hits, support),
    f1: ratio(2 * hits, claimed + support),
    support,
  };
}

function averaged(
  perClass: readonly ClassScores[],
  weightOf: (scores: ClassScores, k: number) => number,
): (of: Figure) => number {
  const weights = perClass.map(weightOf);
  return (of) => ratio(sum(perClass.map((scores, k) => scores[of] * (weights[k] ?? 0))), sum(weights));
}

/**
 * Matthews correlation coefficient for any number of classes (Gorodkin, 2004): the correlation of truth and prediction, -1 to 1;
 * 0 where one of them is constant.
 *
 * @param supports `[K]` rows of each class in the truth.
 * @param claims `[K]` rows of each class in the predictions.
 */
function matthews(hits: number, supports: readonly number[], claims: readonly number[]): number {
  const total = sum(supports);
  const covariance = (a: readonly number[], b: readonly number[]): number =>
    total * total - sum(a.map((value, k) => value * (b[k] ?? 0)));
  const spread = Math.sqrt(covariance(supports, supports)) * Math.sqrt(covariance(claims, claims));
  return ratio(hits * total - sum(supports.map((value, k) => value * (claims[k] ?? 0))), spread);
}

const hitsOf = (confusion: readonly number[][]): number => sum(confusion.map((row, k) => row[k] ?? 0));

const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);

const ratio = (part: number, whole: number): number => (whole === 0 ? 0 : part / whole);
