import { listed } from './errors';

/** Metrics of an evaluation, by the kind of target; docs/metrics.md has their formulas. */
export const TASK_METRICS = {
  classification: [
    'accuracy',
    'f1_score',
    'precision',
    'recall',
    'balanced_accuracy',
    'mcc',
    'roc_auc',
    'pr_auc',
    'log_loss',
    'brier_score',
    'f1_score_macro',
    'precision_macro',
    'recall_macro',
    'f1_score_weighted',
    'precision_weighted',
    'recall_weighted',
  ],
  regression: ['r2', 'mae', 'rmse'],
} as const;

export const METRICS = [...TASK_METRICS.classification, ...TASK_METRICS.regression] as const;
export type MetricName = (typeof METRICS)[number];
export type Task = keyof typeof TASK_METRICS;

/** What each metric is, in a few words. */
export const METRIC_MEANING: Readonly<Record<MetricName, string>> = {
  accuracy: 'share of right answers',
  f1_score:
    'F1, the harmonic mean of precision and recall: of the positive class, or the macro mean of more than two',
  precision:
    'share of right answers among those that say the positive class; the macro mean of more than two classes',
  recall: 'share of the positive class that is found; the macro mean of more than two classes',
  balanced_accuracy: 'mean of the recalls of the classes',
  mcc: 'Matthews correlation coefficient, -1 to 1',
  roc_auc: 'area under the ROC curve',
  pr_auc: 'average precision',
  log_loss: 'mean of -log(probability of the true class)',
  brier_score: 'mean squared error of the probabilities',
  f1_score_macro: 'F1, plain mean over the classes',
  precision_macro: 'precision, plain mean over the classes',
  recall_macro: 'recall, plain mean over the classes',
  f1_score_weighted: 'F1, mean over the classes by their rows',
  precision_weighted: 'precision, mean over the classes by their rows',
  recall_weighted: 'recall, mean over the classes by their rows',
  r2: 'R², share of the variance that is explained',
  mae: 'mean absolute error, in the target’s unit',
  rmse: 'root of the mean squared error, in the target’s unit',
};

/** Metrics that every class has one of; the gate may hold each against a value of its own. */
export const CLASS_METRICS = ['recall'] as const;

/** Name of one class's metric: `recall.virginica`. */
export const classMetric = (metric: (typeof CLASS_METRICS)[number], label: string): string =>
  `${metric}.${label}`;

/** Averages and figures of one class: for the report and MLflow, where a short list of metrics would drown in them. */
export const isDetail = (metric: string): boolean =>
  /_(macro|weighted)$/.test(metric) || CLASS_METRICS.some((name) => metric.startsWith(`${name}.`));

/** Losses and errors: for these, the gate names the most, and less is better. */
export const LOWER_IS_BETTER: readonly string[] = ['log_loss', 'brier_score', 'mae', 'rmse'];

/** Whether less of a metric is better. */
export const lowerIsBetter = (metric: string): boolean => LOWER_IS_BETTER.includes(metric);

/**
 * The best value that a metric can have: what is asked beyond it can never be met. Null: there is none that is known, as of a metric
 * that a stage of one's own makes.
 */
export function bestPossible(metric: string): number | null {
  const known: readonly string[] = METRICS;
  const ofClass = CLASS_METRICS.some((name) => metric.startsWith(`${name}.`));
  if (!ofClass && !known.includes(metric)) return null;
  return lowerIsBetter(metric) ? 0 : 1;
}

/** Why a limit can never be met, for an error; null when it can. */
export function impossible(metric: string, limit: number): string | null {
  const best = bestPossible(metric);
  if (best === null || (lowerIsBetter(metric) ? limit >= best : limit <= best)) return null;
  if (lowerIsBetter(metric)) return `must be ≥ ${best}: no model has a lower ${metric}, so none would pass`;
  const share = limit > 1 && limit <= 100 ? `; ${limit} % is ${Number((limit / 100).toPrecision(12))}` : '';
  return `must be ≤ ${best}: no model has a higher ${metric}, so none would pass${share}`;
}

/** What candidate and champion are compared by when params.yaml does not say. */
export const PROMOTION_METRIC = { classification: 'accuracy', regression: 'r2' } as const;

/** The metric on which candidate and champion are compared. */
export function promotionMetric(params: {
  task: Task;
  promote: { metric?: MetricName | undefined };
}): MetricName {
  return params.promote.metric ?? PROMOTION_METRIC[params.task];
}

/** The gate as in params.yaml: a limit of each metric, or of each class where a metric is one of classes. */
export type GateLimits = Readonly<Partial<Record<string, number | Readonly<Record<string, number>>>>>;

/** Its limits one by one, each with its keys in params.yaml: that of `recall: {a: 0.9}` is named `recall.a`. */
export function gateLimits(gate: GateLimits): [metric: string, limit: number, path: string[]][] {
  return Object.entries(gate).flatMap(([metric, limit]): [string, number, string[]][] => {
    if (limit === undefined) return [];
    if (typeof limit === 'number') return [[metric, limit, [metric]]];
    return Object.entries(limit).map(([label, least]) => [`${metric}.${label}`, least, [metric, label]]);
  });
}

interface TaskChoice {
  task: Task;
  preprocess: { baseline?: unknown };
  train: { executor?: string; algorithm: string };
  evaluate: {
    positive?: string | undefined;
    threshold?: unknown;
    signal?: unknown;
    resamples: number;
  };
  gate: GateLimits;
  promote: {
    metric?: MetricName | undefined;
    guard: Readonly<Partial<Record<MetricName, number>>>;
    confidence?: number | undefined;
  };
}

/** A schema check: metrics, algorithm and evaluation are such as the task has. */
export function checkTask(
  { task, preprocess, train, evaluate, gate, promote }: TaskChoice,
  context: { addIssue(issue: { code: 'custom'; path: string[]; message: string; input: unknown }): void },
): void {
  const mistake = (path: string[], message: string, input: unknown): void => {
    context.addIssue({ code: 'custom', path, message, input });
  };
  const known: readonly string[] = TASK_METRICS[task];
  if (promote.metric !== undefined && !known.includes(promote.metric)) {
    mistake(['promote', 'metric'], `must be one of ${listed(known, 20)} with task: ${task}`, promote.metric);
  }
  for (const [metric, value] of Object.entries(promote.guard)) {
    if (known.includes(metric)) continue;
    mistake(
      ['promote', 'guard', metric],
      `is no metric of task: ${task}, which has ${listed(known, 20)}`,
      value,
    );
  }
  if (promote.confidence !== undefined && evaluate.resamples === 0) {
    mistake(
      ['promote', 'confidence'],
      'needs bootstrap draws, but evaluate.resamples is 0; raise it, or leave confidence out',
      promote.confidence,
    );
  }
  for (const [metric, value] of Object.entries(gate)) {
    if (known.includes(metric)) continue;
    mistake(['gate', metric], `is no metric of task: ${task}, which has ${listed(known, 20)}`, value);
  }
  for (const [metric, limit, path] of gateLimits(gate)) {
    const reason = impossible(metric, limit);
    if (reason !== null) mistake(['gate', ...path], reason, limit);
  }
  const other = {
    classification: ['mean', 'moving-average'],
    regression: ['majority', 'logistic-regression'],
  }[task];
  // In a container, the image's own code trains.
  if (train.executor !== 'container' && other.includes(train.algorithm)) {
    mistake(['train', 'algorithm'], `is not for task: ${task}`, train.algorithm);
  }
  if (task === 'classification') {
    if (evaluate.signal !== undefined)
      mistake(
        ['evaluate', 'signal'],
        'is for predicted numbers, not for task: classification; a cut-off is evaluate.threshold',
        evaluate.signal,
      );
    if (preprocess.baseline !== undefined)
      mistake(
        ['preprocess', 'baseline'],
        'is a moving average of numbers, not for task: classification',
        preprocess.baseline,
      );
    return;
  }
  for (const key of ['positive', 'threshold'] as const) {
    if (evaluate[key] !== undefined)
      mistake(['evaluate', key], 'is for classes, not for task: regression', evaluate[key]);
  }
}
