import { z } from 'zod';
import { checkPlacement, placement } from './container';

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

export const METRICS = ['accuracy', 'f1_score', 'precision', 'recall'] as const;

const Metric = z.enum(METRICS);

export const DataParams = z.strictObject({
  path: z.string().min(1).describe('The data: a CSV file, relative to the folder of params.yaml’s project.'),
  target: z.string().min(1).describe('The column to predict.'),
});
export type DataParams = z.infer<typeof DataParams>;

export const PreprocessParams = z
  .strictObject({
    ...placement,
    drop: z.array(z.string()).default([]).describe('Columns to leave out.'),
    rename: z.record(z.string(), z.string()).default({}).describe('Columns to rename, old name to new.'),
    impute: z
      .enum(['median', 'mean', 'none'])
      .default('median')
      .describe(
        'What stands in for a missing number: the column’s median or mean over the training rows, or nothing (an error if one is missing).',
      ),
    test_size: z
      .number()
      .gt(0)
      .lt(1)
      .default(0.2)
      .describe('Share of the rows held out for evaluation, stratified by class.'),
    seed: seed.default(42).describe('Seed of the split.'),
  })
  .superRefine(checkPlacement);
export type PreprocessParams = z.infer<typeof PreprocessParams>;

export const TrainParams = z
  .strictObject({
    ...placement,
    algorithm: z.literal('random-forest').default('random-forest').describe('What to train.'),
    engine: z
      .literal('ml-random-forest')
      .default('ml-random-forest')
      .describe('Which implementation trains it.'),
    n_estimators: z.int().min(1).max(10_000).default(100).describe('Number of trees.'),
    max_depth: z
      .int()
      .min(1)
      .max(64)
      .nullable()
      .default(null)
      .describe('Largest depth of a tree; null: grown until the leaves are pure.'),
    seed: seed
      .default(42)
      .describe('Seed of the training: same data, params and seed give the same model bytes.'),
  })
  .superRefine(checkPlacement);
export type TrainParams = z.infer<typeof TrainParams>;

export const EvaluateParams = z
  .strictObject({
    ...placement,
  })
  .superRefine(checkPlacement);
export type EvaluateParams = z.infer<typeof EvaluateParams>;

export const PromoteParams = z.strictObject({
  metric: Metric.default('accuracy').describe(
    'The metric on which candidate and champion are compared, on the same held-out rows.',
  ),
  min_improvement: z
    .number()
    .min(0)
    .default(0)
    .describe('By how much the candidate must beat the champion; it must be strictly better in any case.'),
  approval: z.literal('none').default('none').describe('Who must approve a promotion.'),
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

export const NOTICE_KINDS = ['failure', 'gate_failed', 'promotion'] as const;

export const NotifyParams = z.strictObject({
  on: z
    .array(z.enum(NOTICE_KINDS))
    .default([...NOTICE_KINDS])
    .describe('What is told to the channels that the worker’s environment configures.'),
});
export type NotifyParams = z.infer<typeof NotifyParams>;

/** params.yaml, the one file that a run depends on. Unknown keys are errors. */
export const Params = z.strictObject({
  experiment: name.describe('MLflow experiment.'),
  model: name.describe('Registered model in MLflow.'),
  task: z.literal('classification').default('classification').describe('What kind of target it is.'),
  data: DataParams,
  preprocess: PreprocessParams.prefault({}),
  train: TrainParams.prefault({}),
  evaluate: EvaluateParams.prefault({}),
  gate: z
    .partialRecord(Metric, z.number())
    .default({})
    .describe('The quality gate: the least value of each metric named here.'),
  promote: PromoteParams.prefault({}),
  retry: RetryParams.prefault({}),
  notify: NotifyParams.prefault({}),
});
export type Params = z.infer<typeof Params>;
