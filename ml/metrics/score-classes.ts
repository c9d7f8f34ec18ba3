import { type Metrics, type Scores } from '../../contracts/stage';
import { classMetric } from '../../contracts/task-metrics';
import { classificationScores } from './classification';
import { brierLosses, calibration, logLosses, type Probabilities, weightedMean } from './probabilities';
import { MOST_POINTS, Ranking } from './ranking';

/** What a classifier said of the held-out rows. */
export interface ClassPredictions {
  /** `[n]` class numbers. */
  truth: Uint32Array;
  /** `[n]` class numbers, which may go beyond those of the truth. */
  predicted: Uint32Array;
  /** Names of the classes of both: first the table's own, then those that only the model knows. */
  labels: readonly string[];
  /** How many of them are the table's. */
  classes: number;
  /** `[n, K]` in the order of the first K labels; null when the model gives none. */
  probabilities: Probabilities | null;
  /** Two classes: number of the positive one; undefined for more. */
  positive: number | undefined;
}

/** More classes than this have no metric each for their recall: they are a table, in `perClass`. */
export const MAX_CLASS_METRICS = 20;

/** More classes than this get no curves: a sort of all rows for each. */
const MAX_RANKED_CLASSES = 50;

/** Largest n · K · draws for which the areas get intervals too. */
const MAX_RANKED_DRAWS = 1e9;

/**
 * All scores of a classifier. Of up to 20 classes each has its recall among the metrics, `recall.<label>`. `roc_auc` and `pr_auc` are those of the positive class, or, for more than two classes,
 * the plain mean of one class against the rest; they are left out when a class does not occur.
 */
export function scoreClasses(said: ClassPredictions): Scores {
  const { labels } = said;
  const { ranked, views, rankings, measure } = prepare(said);
  return {
    ...measure(undefined, true),
    ...(rankings.length === 0
      ? {}
      : {
          curves: ranked.map((k, i) => curvesOf(labels[k] ?? String(k), rankings[i], views[i])),
        }),
  };
}

/**
 * Measures a classifier again and again, for weights `[n]` of the rows (absent: 1 each), as a bootstrap does.
 *
 * @param resamples How often: the areas are left out where that would take too long.
 */
export function measureClasses(
  said: ClassPredictions,
  resamples: number,
): (weights?: Float64Array) => Metrics {
  const { ranked, measure } = prepare(said);
  const drawsRanked = mayRank(said, ranked, resamples);
  return (weights) => measure(weights, weights === undefined || drawsRanked).metrics;
}

function mayRank({ truth }: ClassPredictions, ranked: readonly number[], resamples: number): boolean {
  return resamples * truth.length * ranked.length <= MAX_RANKED_DRAWS;
}

interface Prepared {
  /** Classes with a curve. */
  ranked: number[];
  views: ClassView[];
  rankings: Ranking[];
  measure: (weights: Float64Array | undefined, withAreas: boolean) => Measured;
}

function prepare(said: ClassPredictions): Prepared {
  const { truth, predicted, labels, probabilities, positive } = said;
  const ranked = probabilities === null ? [] : rankedClasses(probabilities.classes, positive);
  const views = probabilities === null ? [] : ranked.map((k) => classView(truth, probabilities, k));
  const rankings = views.map((view) => new Ranking(view.positive, view.scores));
  const losses =
    probabilities === null
      ? null
      : { log: logLosses(truth, probabilities), brier: brierLosses(truth, probabilities) };
  const measure = (weights: Float64Array | undefined, withAreas: boolean): Measured => {
    const scores = classificationScores(truth, predicted, labels, positive, weights);
    const {
      accuracy = 0,
      f1_score = 0,
      precision = 0,
      recall = 0,
      balanced_accuracy = 0,
      mcc = 0,
    } = scores.metrics;
    const metrics = {
      // The ones that most look at come first.
      ...{ accuracy, f1_score, precision, recall, balanced_accuracy, mcc },
      ...(withAreas ? areas(rankings, weights) : {}),
      ...(losses === null
        ? {}
        : {
            log_loss: weightedMean(losses.log, weights),
            brier_score: weightedMean(losses.brier, weights),
          }),
      ...scores.metrics,
      ...recalls(scores.perClass.slice(0, said.classes), weights !== undefined),
    };
    return { ...scores, metrics };
  };
  return { ranked, views, rankings, measure };
}

type Measured = Pick<Scores, 'metrics' | 'perClass' | 'confusion'>;

/** In a draw, a class without rows has no recall; NaN leaves it out of the intervals. */
function recalls(perClass: Scores['perClass'], drawn: boolean): Metrics {
  if (perClass.length > MAX_CLASS_METRICS) return {};
  return Object.fromEntries(
    perClass.map(({ label, recall, support }) => [
      classMetric('recall', label),
      drawn && support === 0 ? Number.NaN : recall,
    ]),
  );
}

function rankedClasses(classes: number, positive: number | undefined): number[] {
  if (positive !== undefined) return [positive];
  return classes > MAX_RANKED_CLASSES ? [] : Array.from({ length: classes }, (_, k) => k);
}

interface ClassView {
  positive: Uint8Array;
  scores: Float64Array;
}

/** One class against the rest. */
export function classView(truth: Uint32Array, { values, classes }: Probabilities, k: number): ClassView {
  const positive = new Uint8Array(truth.length);
  const scores = new Float64Array(truth.length);
  for (let i = 0; i < truth.length; i++) {
    if (truth[i] === k) positive[i] = 1;
    scores[i] = values[i * classes + k] ?? 0;
  }
  return { positive, scores };
}

function areas(rankings: readonly Ranking[], weights: Float64Array | undefined): Metrics {
  if (rankings.length === 0) return {};
  const each = rankings.map((ranking) => ranking.areas(weights));
  const found = {
    roc_auc: each.reduce((sum, { rocAuc }) => sum + rocAuc, 0) / each.length,
    pr_auc: each.reduce((sum, { averagePrecision }) => sum + averagePrecision, 0) / each.length,
  };
  return Object.fromEntries(Object.entries(found).filter(([, value]) => Number.isFinite(value)));
}

function curvesOf(
  label: string,
  ranking: Ranking | undefined,
  view: ClassView | undefined,
): NonNullable<Scores['curves']>[number] {
  const points = (curve: { x: number; y: number }[]): [number, number][] =>
    curve.filter(({ x, y }) => Number.isFinite(x) && Number.isFinite(y)).map(({ x, y }) => [x, y]);
  return {
    label,
    roc: points(ranking?.rocCurve(MOST_POINTS) ?? []),
    precisionRecall: points(ranking?.precisionRecallCurve(MOST_POINTS) ?? []),
    calibration: view === undefined ? [] : calibration(view.positive, view.scores),
  };
}
