import { z } from 'zod';
import { checkPlacement, placement } from './container';
import { checkBacktest } from './backtest-params';
import { checkExtraIsRead, CsvParams, DataParams } from './data-params';
import { DriftParams } from './drift-params';
import { checkTask, lowerIsBetter, METRIC_MEANING, type MetricName, METRICS } from './task-metrics';
import { CollectParams } from './collect-params';
import { SignalParams } from './signal';
import { ServingParams } from './serving-params';
import { checkLags, lagParams, TrainParams } from './train-params';

export { TrainParams };

const name = z
  .string()
  .regex(
    /^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/,
    'must be 1 to 100 letters, digits, dots, dashes or underscores',
  );

const seed = z.int().min(0).max(0xffff_ffff);

/** A duration as people write it: `500ms`, `5s`, `10m`, `2h`. */
export const Duration = z
  .string()
  .regex(/^\d+(\.\d+)?(ms|s|m|h)$/, 'must be a duration such as 500ms, 5s, 10m or 2h');

const Metric = z.enum(METRICS);

export { CsvParams, DataParams };

export const PreprocessParams = z
  .strictObject({
    ...placement,
    drop: z.array(z.string()).default([]).describe('Columns to leave out.'),
    rename: z.record(z.string(), z.string()).default({}).describe('Columns to rename, old name to new.'),
    filter: z
      .string()
      .min(1)
      .max(100_000)
      .optional()
      .describe('Rows to keep: an SQL condition over the columns, such as "age >= 18 AND income > 0".'),
    sql: z
      .string()
      .min(1)
      .max(100_000)
      .optional()
      .describe(
        'An SQL query (DuckDB) over the table `data`, and those of data.extra, that gives the table to go on with; it should order its rows.',
      ),
    deduplicate: z
      .union([z.boolean(), z.array(z.string()).min(1)])
      .default(false)
      .describe(
        'Keep only the first of rows that are equal in all columns (true), or in the columns listed.',
      ),
    clip: z
      .record(z.string(), z.strictObject({ min: z.number().optional(), max: z.number().optional() }))
      .default({})
      .describe('Numbers below min or above max become min or max, per column.'),
    impute: z
      .enum(['median', 'mean', 'mode', 'constant', 'none', 'refuse'])
      .default('median')
      .describe(
        'What stands in for a missing number: the column’s median, mean or most frequent value over the training rows, impute_value, or nothing (the forest learns which way to send it). refuse: a missing number is an error.',
      ),
    impute_value: z
      .number()
      .default(0)
      .describe('What stands in for a missing number when impute is constant.'),
    encode: z
      .record(z.string(), z.enum(['one-hot', 'ordinal']))
      .default({})
      .describe(
        'Text columns, and how they become numbers: a column of 0 and 1 per level, or the index of the level. A level that was not among the training rows becomes zeros, or -1.',
      ),
    auto: z
      .boolean()
      .optional()
      .describe(
        'Take columns that are no numbers, by what their first 100,000 rows look like: text of up to 50 levels as one-hot, of more as ordinal, dates as year, month, day, weekday and days, and leave out texts that mostly differ. What was done is told. `encode` and `drop` win.',
      ),
    split: z
      .enum(['stratified', 'random', 'grouped', 'time', 'k-fold'])
      .default('stratified')
      .describe(
        'How test rows are chosen: each class its share (regression: at random), at random, whole groups of group_by, the latest by time_by, or fold number fold of folds. But for the split by time, a row stays on its side when others come and go, and equal rows stay together.',
      ),
    group_by: z
      .string()
      .optional()
      .describe('Column whose equal values stay on one side of a grouped split. It is no feature.'),
    time_by: z
      .string()
      .optional()
      .describe('Column (a number, or a date as YYYY-MM-DD…) that orders a split by time. It is no feature.'),
    gap: z
      .number()
      .min(0)
      .optional()
      .describe(
        'Split by time: training rows less than this before the first held-out one, or just so much, are left out: in days where time_by holds dates, else in its own unit. As long as the target looks ahead, no training row’s target is from the time that is held out. Default: 0.',
      ),
    row_id: z
      .array(z.string().min(1))
      .min(1)
      .optional()
      .describe(
        'Columns that tell rows apart: rows that are equal in them are one to the split, and to the comparison of models, which leaves out what a model was trained on. Default: all features and the target. They stay features unless dropped. A grouped split goes by its groups.',
      ),
    folds: z.int().min(2).max(100).default(5).describe('Number of folds of a k-fold split.'),
    fold: z.int().min(0).max(99).default(0).describe('Which fold is held out, from 0.'),
    baseline: z
      .strictObject(lagParams)
      .superRefine(checkLags)
      .optional()
      .describe(
        'A moving average that the model is held against beside the mean, in the report and at each cut-off of a backtest: {lags: [price, price_lag_1, price_lag_2], window: 3}. For task: regression.',
      ),
    test_size: z
      .number()
      .gt(0)
      .lt(1)
      .default(0.2)
      .describe(
        'Share of the rows held out for evaluation, stratified by class. A k-fold split goes by folds.',
      ),
    seed: seed.default(42).describe('Seed of the split.'),
  })
  .superRefine(checkPlacement)
  .superRefine(checkGap);
export type PreprocessParams = z.infer<typeof PreprocessParams>;

/** A schema check: between rows that no time orders there is no gap. */
function checkGap(
  { gap, split }: { gap?: number | undefined; split: string },
  context: { addIssue(issue: { code: 'custom'; path: string[]; message: string; input: unknown }): void },
): void {
  if (gap === undefined || split === 'time') return;
  const message = `is for preprocess.split: time, and the split is ${split}; leave it out`;
  context.addIssue({ code: 'custom', path: ['gap'], message, input: gap });
}

const ColumnExpectation = z.strictObject({
  min: z.number().optional().describe('No number is below it.'),
  max: z.number().optional().describe('No number is above it.'),
  missing_max: z.number().min(0).max(1).optional().describe('Largest share of missing values.'),
  one_of: z.array(z.string()).min(1).optional().describe('The texts that may occur.'),
});

/** What must hold of the table that was read, after `sql` and `filter`. Other keys name columns. */
export const ExpectParams = z
  .object({
    rows_min: z.int().min(0).optional().describe('Least number of rows.'),
    rows_max: z.int().min(0).optional().describe('Largest number of rows.'),
    unique: z.array(z.string()).optional().describe('Columns in which no value occurs twice.'),
    leakage: z
      .enum(['warn', 'refuse'])
      .optional()
      .describe(
        'Whether test rows that also are in training, and a column that alone tells the target, are an error, or a warning (the default).',
      ),
  })
  .catchall(ColumnExpectation);
export type ExpectParams = z.infer<typeof ExpectParams>;

const ThresholdParams = z.union([
  z.strictObject({ maximize: z.literal('f1') }),
  z.strictObject({
    cost: z.strictObject({ false_positive: z.number().min(0), false_negative: z.number().min(0) }),
  }),
  z.strictObject({ recall: z.number().gt(0).max(1) }),
]);

export const EvaluateParams = z
  .strictObject({
    ...placement,
    positive: z
      .string()
      .optional()
      .describe(
        'Two classes: the one that roc_auc, pr_auc, curves and the cut-off are about. Default: the last by code point, such as 1 of 0 and 1.',
      ),
    threshold: ThresholdParams.optional().describe(
      'How the cut-off of the positive class’s probability is chosen: {maximize: f1}, {cost: {false_positive: 1, false_negative: 5}} or {recall: 0.8}. What comes of it is told by cross-fitting: each fifth of the held-out rows by the cut-off that the others chose.',
    ),
    signal: SignalParams.optional().describe(
      'What a predicted number says to do, by how far it is from a number of its row: {from: price, buy: 0.05, sell: -0.05}. It goes with the model: /predict, `retrain predict` and loadModel answer buy, hold or sell as `decision`.',
    ),
    resamples: z
      .int()
      .min(0)
      .max(10_000)
      .default(200)
      .describe('Bootstrap draws for the confidence intervals of the metrics; 0: none.'),
    confidence: z.number().gt(0).lt(1).default(0.95).describe('Level of the confidence intervals.'),
    seed: seed.default(42).describe('Seed of the bootstrap.'),
  })
  .superRefine(checkPlacement);
export type EvaluateParams = z.infer<typeof EvaluateParams>;

export const PromoteParams = z.strictObject({
  metric: Metric.optional().describe(
    'The metric on which candidate and champion are compared, on held-out rows that neither was trained on. Default: accuracy; for regression, r2.',
  ),
  min_improvement: z
    .number()
    .min(0)
    .default(0)
    .describe('By how much the candidate must beat the champion; it must be strictly better in any case.'),
  beat_baseline: z
    .boolean()
    .default(true)
    .describe(
      'Whether a candidate must be better than the most frequent class, or the mean, to become production, the first version too: by the interval of its promote.metric, or of roc_auc or r2.',
    ),
  unseen: z
    .enum(['required', 'preferred'])
    .default('preferred')
    .describe(
      'What to do when it is not known which rows the champion was trained on. preferred: compare on all held-out rows, and say so. required: staging.',
    ),
  min_rows: z
    .int()
    .min(1)
    .default(20)
    .describe('Least number of rows to compare on; with fewer, a candidate goes to staging.'),
  confidence: z
    .number()
    .gt(0)
    .lt(1)
    .optional()
    .describe(
      'The candidate must be better beyond chance: the bootstrap interval of this level around the difference must not hold 0. Default: it need only be better.',
    ),
  guard: z
    .partialRecord(Metric, z.number().min(0))
    .default({})
    .describe(
      'By how much other metrics may at most get worse against the champion: {recall: 0.01, log_loss: 0.02}.',
    ),
  slices: z
    .array(z.string().min(1))
    .default([])
    .describe(
      'Columns of which no value may get worse by more than slice_bound: accuracy where the column has that value, or the mean absolute error. Of a number with many values, its quarters.',
    ),
  slice_bound: z
    .number()
    .min(0)
    .default(0.05)
    .describe('By how much accuracy may fall in a slice; in a regression, by what share the error may grow.'),
  slice_rows: z.int().min(20).default(100).describe('Slices with fewer rows compared are not looked at.'),
  approval: z
    .enum(['none', 'required'])
    .default('none')
    .describe(
      'required: a candidate that wins waits in staging until somebody approves it (`retrain approve`). none: it goes to production at once.',
    ),
  approvers: z
    .array(z.string().min(1).max(200))
    .min(1)
    .max(100)
    .optional()
    .describe('Who may approve, and promote by hand where approval is required. Default: anybody.'),
  four_eyes: z.boolean().default(false).describe('Whoever started a run may not approve its model.'),
  approval_expires: Duration.default('72h').describe('How long a candidate waits for its approval.'),
  outside_moves: z
    .enum(['accept', 'restore'])
    .default('accept')
    .describe(
      'What the steward does when somebody moves the alias production in MLflow itself: enter it in the ledger, or put it back as well.',
    ),
  legacy_stages: z
    .boolean()
    .default(true)
    .describe(
      'Keep MLflow’s deprecated stages (Staging, Production, Archived) in step, while the server offers them.',
    ),
});
export type PromoteParams = z.infer<typeof PromoteParams>;

export const RetryParams = z.strictObject({
  maximum_attempts: z.int().min(1).max(100).default(3).describe('Attempts of a stage, the first included.'),
  initial_interval: Duration.default('5s').describe('Wait before the second attempt.'),
  backoff: z.number().min(1).max(10).default(2).describe('Factor by which each further wait grows.'),
});
export type RetryParams = z.infer<typeof RetryParams>;

export const NOTICE_KINDS = [
  'failure',
  'gate_failed',
  'promotion',
  'approval',
  'approval_expired',
  'rollback',
  'outside_move',
  'drift',
] as const;

export const NotifyParams = z.strictObject({
  on: z
    .array(z.enum(NOTICE_KINDS))
    .default([...NOTICE_KINDS])
    .describe('What is told to the channels that the worker’s environment configures.'),
});
export type NotifyParams = z.infer<typeof NotifyParams>;

export const TriggerParams = z.strictObject({
  overrides: z
    .union([
      z.boolean(),
      z.array(z.string().regex(/^[\w.-]+$/, 'must be a dotted key such as train.n_estimators')),
    ])
    .default(true)
    .describe(
      'What `overrides` of a workflow’s input may change (the Web UI, a schedule, a CI job, or a spec that is not this project’s own command line’s, which may change everything). false: nothing. A list: these keys and what is below them. true: all but preprocess.sql and filter; image, command, env, network, volumes and user of a stage; approval, approvers and four_eyes of promote.',
    ),
});

const limit = (metric: MetricName): z.ZodOptional<z.ZodNumber> =>
  z
    .number()
    .optional()
    .describe(`${lowerIsBetter(metric) ? 'At most' : 'At least'}: ${METRIC_MEANING[metric]}.`);

/** The quality gate: the least value of each metric that is named; of a loss or an error, the largest. */
export const GateParams = z.strictObject({
  ...(Object.fromEntries(METRICS.map((metric) => [metric, limit(metric)])) as Record<
    MetricName,
    ReturnType<typeof limit>
  >),
  recall: z
    .union([z.number(), z.record(z.string(), z.number())])
    .optional()
    .describe(
      `At least: ${METRIC_MEANING.recall}. Or of each class that is named: {fraud: 0.8, fair: 0.95}.`,
    ),
});
export type GateParams = z.infer<typeof GateParams>;

/** params.yaml, the one file that a run depends on. Unknown keys are errors. */
export const Params = z
  .strictObject({
    experiment: name.describe('MLflow experiment.'),
    model: name.describe('Registered model in MLflow.'),
    task: z
      .enum(['classification', 'regression'])
      .default('classification')
      .describe('What kind of target it is: classes, or numbers.'),
    data: DataParams,
    expect: ExpectParams.default({}).describe(
      'What must hold of the data, or the run fails: {age: {min: 0, max: 120, missing_max: 0.01}, rows_min: 1000, unique: [id]}.',
    ),
    preprocess: PreprocessParams.prefault({}),
    train: TrainParams.prefault({}),
    evaluate: EvaluateParams.prefault({}),
    gate: GateParams.prefault({}),
    promote: PromoteParams.prefault({}),
    retry: RetryParams.prefault({}),
    notify: NotifyParams.prefault({}),
    triggers: TriggerParams.optional(),
    serving: ServingParams.optional(),
    drift: DriftParams.optional(),
    collect: CollectParams.optional(),
  })
  .superRefine(checkTask)
  .superRefine(checkBacktest)
  .superRefine(checkExtraIsRead);
export type Params = z.infer<typeof Params>;
