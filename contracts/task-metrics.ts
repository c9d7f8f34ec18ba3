import { listed } from './errors';

/** Metrics of an evaluation, by the kind of target. */
export const TASK_METRICS = {
  classification: [
    'accuracy',
    'f1_score',
    'precision',
    'recall',
    'roc_auc',
    'pr_auc',
    'log_loss',
    'brier_score',
  ],
  regression: ['r2', 'mae', 'rmse'],
} as const;

export const METRICS = [...TASK_METRICS.classification, ...TASK_METRICS.regression] as const;
export type MetricName = (typeof METRICS)[number];
export type Task = keyof typeof TASK_METRICS;

/** Losses and errors: for these, the gate names the most, and less is better. */
export const LOWER_IS_BETTER: readonly string[] = ['log_loss', 'brier_score', 'mae', 'rmse'];

/** What candidate and champion are compared by when params.yaml does not say. */
export const PROMOTION_METRIC = { classification: 'accuracy', regression: 'r2' } as const;

/** The metric on which candidate and champion are compared. */
export function promotionMetric(params: {
  task: Task;
  promote: { metric?: MetricName | undefined };
}): MetricName {
  return params.promote.metric ?? PROMOTION_METRIC[params.task];
}

interface TaskChoice {
  task: Task;
  train: { executor?: string; algorithm: string };
  evaluate: { positive?: string | undefined; threshold?: unknown };
  gate: Readonly<Partial<Record<MetricName, number>>>;
  promote: { metric?: MetricName | undefined };
}

/** A schema check: metrics, algorithm and evaluation are such as the task has. */
export function checkTask(
  { task, train, evaluate, gate, promote }: TaskChoice,
  context: { addIssue(issue: { code: 'custom'; path: string[]; message: string; input: unknown }): void },
): void {
  const mistake = (path: string[], message: string, input: unknown): void => {
    context.addIssue({ code: 'custom', path, message, input });
  };
  const known: readonly string[] = TASK_METRICS[task];
  if (promote.metric !== undefined && !known.includes(promote.metric)) {
    mistake(['promote', 'metric'], `must be one of ${listed(known, 12)} with task: ${task}`, promote.metric);
  }
  for (const [metric, value] of Object.entries(gate)) {
    if (known.includes(metric)) continue;
    mistake(['gate', metric], `is no metric of task: ${task}, which has ${listed(known, 12)}`, value);
  }
  const other = { classification: ['mean'], regression: ['majority', 'logistic-regression'] }[task];
  // In a container, the image's own code trains.
  if (train.executor !== 'container' && other.includes(train.algorithm)) {
    mistake(['train', 'algorithm'], `is not for task: ${task}`, train.algorithm);
  }
  if (task === 'classification') return;
  for (const key of ['positive', 'threshold'] as const) {
    if (evaluate[key] !== undefined)
      mistake(['evaluate', key], 'is for classes, not for task: regression', evaluate[key]);
  }
}
