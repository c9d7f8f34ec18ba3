import { type Scores } from '../../contracts/stage';
import { confusionMatrix } from './confusion';

/**
 * Accuracy, and precision, recall and F1 per class and as their plain (macro) mean. As in scikit-learn's
 * `precision_recall_fscore_support(average='macro', zero_division=0)`: a ratio over nothing is 0, and the mean
 * is over the classes that occur in the truth or the predictions.
 *
 * @param truth `[n]` class numbers.
 * @param predicted `[n]` class numbers.
 * @param labels Names of the K classes.
 * @param weights `[n]`; absent: 1 each.
 */
export function classificationScores(
  truth: Uint32Array,
  predicted: Uint32Array,
  labels: readonly string[],
  weights?: ArrayLike<number>,
): Pick<Scores, 'metrics' | 'perClass' | 'confusion'> {
  const confusion = confusionMatrix(truth, predicted, labels.length, weights);
  const perClass = labels.map((label, k) => {
    const hits = confusion[k]?.[k] ?? 0;
    const support = sum(confusion[k] ?? []);
    const claimed = sum(confusion.map((row) => row[k] ?? 0));
    return {
      label,
      precision: ratio(hits, claimed),
      recall: ratio(hits, support),
      f1: ratio(2 * hits, claimed + support),
      support,
      claimed,
    };
  });
  const occurring = perClass.filter(({ support, claimed }) => support + claimed > 0);
  const macro = (of: 'precision' | 'recall' | 'f1'): number =>
    ratio(sum(occurring.map((scores) => scores[of])), occurring.length);
  return {
    metrics: {
      accuracy: ratio(sum(labels.map((_, k) => confusion[k]?.[k] ?? 0)), sum(confusion.map(sum))),
      f1_score: macro('f1'),
      precision: macro('precision'),
      recall: macro('recall'),
    },
    perClass: perClass.map(({ claimed: _, ...scores }) => scores),
    confusion,
  };
}

const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);

const ratio = (part: number, whole: number): number => (whole === 0 ? 0 : part / whole);
