import { z } from 'zod';
import { BacktestParams } from './backtest-params';
import { checkPlacement, placement } from './container';
import { listed } from './errors';

export const ALGORITHMS = [
  'random-forest',
  'extra-trees',
  'gradient-boosting',
  'logistic-regression',
  'majority',
  'mean',
  'moving-average',
] as const;
export type Algorithm = (typeof ALGORITHMS)[number];

export const ENGINES = ['ml-random-forest', 'histogram'] as const;
export type Engine = (typeof ENGINES)[number];

/** Which engine trains when params.yaml does not say. */
export const DEFAULT_ENGINE: Engine = 'histogram';

/** Most columns of a moving average. */
const MOST_LAGS = 1000;

/** Which columns a moving average goes over. */
export const lagParams = {
  lags: z
    .array(z.string().min(1))
    .min(1)
    .max(MOST_LAGS)
    .optional()
    .describe(
      'Moving average: the columns whose mean is the answer, the newest first, such as [price, price_lag_1, price_lag_2]. One that is missing is left out of it (preprocess.impute: none keeps it missing); a row without any of them gets the mean of the training rows.',
    ),
  window: z
    .int()
    .min(1)
    .max(MOST_LAGS)
    .optional()
    .describe('Moving average: how many of its lags are averaged, from the first. Default: all.'),
};

/** What is wrong with the columns of a moving average; null: nothing. */
function lagMistake({
  lags,
  window,
}: {
  lags?: readonly string[] | undefined;
  window?: number | undefined;
}): { key: 'lags' | 'window'; message: string; input: unknown } | null {
  if (lags === undefined) {
    const message =
      'is missing: name the columns that are averaged, the newest first, such as [price, price_lag_1]';
    return { key: 'lags', message, input: lags };
  }
  const twice = lags.find((name, at) => lags.indexOf(name) !== at);
  if (twice !== undefined)
    return { key: 'lags', message: `names ${JSON.stringify(twice)} twice`, input: lags };
  if (window === undefined || window <= lags.length) return null;
  const message = `must be ≤ ${lags.length}, as many as there are lags; make more lags in preprocess.sql, or lower it`;
  return { key: 'window', message, input: window };
}

/** A schema check of the columns of a moving average. */
export function checkLags(
  choice: { lags?: readonly string[] | undefined; window?: number | undefined },
  context: { addIssue(issue: { code: 'custom'; path: string[]; message: string; input: unknown }): void },
): void {
  const wrong = lagMistake(choice);
  if (wrong === null) return;
  context.addIssue({ code: 'custom', path: [wrong.key], message: wrong.message, input: wrong.input });
}

/** Options that only some trainers take: they have no default here, the trainer knows it. */
const options = {
  criterion: z
    .enum(['gini', 'entropy', 'squared_error'])
    .optional()
    .describe('What a split is to reduce. Default: gini for classes, squared_error for numbers.'),
  max_features: z
    .union([z.enum(['sqrt', 'log2', 'all']), z.number().gt(0).max(32_767)])
    .optional()
    .describe(
      'Features drawn per split: a rule, a share (below 1) or a number of them. Default: sqrt for classes, all for numbers.',
    ),
  min_samples_split: z.int().min(2).optional().describe('Rows that a node needs to be split. Default: 2.'),
  min_samples_leaf: z
    .int()
    .min(1)
    .optional()
    .describe('Rows that each side of a split must keep. Default: 1; boosting: 20.'),
  bootstrap: z
    .boolean()
    .optional()
    .describe(
      'Draw the rows of each tree with replacement. false: each row once, or max_samples of them. Default: true for a random forest, false for extra-trees.',
    ),
  max_samples: z
    .number()
    .gt(0)
    .optional()
    .describe('Rows drawn per tree: a share (up to 1) or a number of them. Default: as many as there are.'),
  class_weight: z
    .enum(['balanced'])
    .optional()
    .describe('balanced: each class weighs the same in all, whatever its rows. Default: each row does.'),
  oob_score: z
    .boolean()
    .optional()
    .describe(
      'Score the forest on the rows that each tree did not draw (accuracy, or R²). Needs bootstrap or max_samples. Default: false.',
    ),
  learning_rate: z
    .number()
    .gt(0)
    .max(10)
    .optional()
    .describe('Boosting: factor that shrinks what each tree adds. Default: 0.1.'),
  max_leaf_nodes: z
    .int()
    .min(2)
    .max(65_536)
    .optional()
    .describe('Boosting: leaves of a tree at most. Default: 31.'),
  l2_regularization: z
    .number()
    .min(0)
    .optional()
    .describe('Boosting: L2 penalty on the values of leaves. Default: 0.'),
  early_stopping: z
    .boolean()
    .optional()
    .describe(
      'Boosting: hold rows out, stop when their loss no longer falls, and keep the best round. Default: false.',
    ),
  validation_fraction: z
    .number()
    .gt(0)
    .lt(1)
    .optional()
    .describe('Boosting: share of the rows that early stopping holds out. Default: 0.1.'),
  n_iter_no_change: z
    .int()
    .min(1)
    .optional()
    .describe('Boosting: rounds without a lower loss after which early stopping stops. Default: 10.'),
  c: z
    .number()
    .gt(0)
    .optional()
    .describe('Logistic regression: inverse strength of the L2 penalty. Default: 1.'),
  max_iter: z.int().min(1).optional().describe('Logistic regression: iterations at most. Default: 100.'),
  ...lagParams,
};

type Option = keyof typeof options;
const OPTIONS = Object.keys(options) as Option[];

const FOREST: readonly Option[] = [
  'criterion',
  'max_features',
  'min_samples_split',
  'min_samples_leaf',
  'bootstrap',
  'max_samples',
  'class_weight',
  'oob_score',
];
const BOOSTING: readonly Option[] = [
  'learning_rate',
  'max_leaf_nodes',
  'min_samples_leaf',
  'l2_regularization',
  'early_stopping',
  'validation_fraction',
  'n_iter_no_change',
];

/** Which of the options a trainer takes; undefined: there is no such trainer. */
const TAKEN: Record<Engine, Partial<Record<Algorithm, readonly Option[]>>> = {
  'ml-random-forest': { 'random-forest': [] },
  histogram: {
    'random-forest': FOREST,
    'extra-trees': FOREST,
    'gradient-boosting': BOOSTING,
    'logistic-regression': ['c', 'max_iter'],
    majority: [],
    mean: [],
    'moving-average': ['lags', 'window'],
  },
};

export const TrainParams = z
  .strictObject({
    ...placement,
    algorithm: z.enum(ALGORITHMS).default('random-forest').describe('What to train.'),
    engine: z
      .enum(ENGINES)
      .default(DEFAULT_ENGINE)
      .describe(
        'Which implementation trains it: histogram is retrain’s own, and trains all of them, in threads where that is worth it; ml-random-forest is the npm package, for a few thousand rows.',
      ),
    n_estimators: z
      .int()
      .min(1)
      .max(10_000)
      .default(100)
      .describe('Number of trees; boosting: of rounds, each a tree per class if there are more than two.'),
    max_depth: z
      .int()
      .min(1)
      .max(64)
      .nullable()
      .default(null)
      .describe('Largest depth of a tree; null: no bound.'),
    seed: z
      .int()
      .min(0)
      .max(0xffff_ffff)
      .default(42)
      .describe('Seed of the training: same data, params and seed give the same model bytes.'),
    keep_features: z
      .boolean()
      .optional()
      .describe(
        'Keep the training rows, as the model takes them and with the target, beside it: models/<model>/features.parquet. Default: false.',
      ),
    backtest: BacktestParams.optional().describe(
      'Train also at several cut-offs in the past, each on the rows before it, and score that on the window after it, beside the baselines: {cutoffs: 5, window: 14}. Over the training rows only; needs preprocess.split: time.',
    ),
    ...options,
  })
  .superRefine(checkPlacement)
  .superRefine(checkTrainer);
export type TrainParams = z.infer<typeof TrainParams>;

interface Choice extends Partial<Record<Exclude<Option, 'lags' | 'window'>, unknown>> {
  lags?: readonly string[] | undefined;
  window?: number | undefined;
  executor?: string;
  algorithm: Algorithm;
  engine: Engine;
}

/** An engine that does not train the algorithm, or an option that it does not take, is a mistake, not a no-op. */
function checkTrainer(
  params: Choice,
  context: { addIssue(issue: { code: 'custom'; path: string[]; message: string; input: unknown }): void },
): void {
  // In a container, the image's own code trains, by its own rules.
  if (params.executor === 'container') return;
  const taken = TAKEN[params.engine][params.algorithm];
  if (taken === undefined) {
    const others = ENGINES.filter((engine) => TAKEN[engine][params.algorithm] !== undefined);
    context.addIssue({
      code: 'custom',
      path: ['engine'],
      message: `does not train ${params.algorithm}; engines that do: ${listed(others)}`,
      input: params.engine,
    });
    return;
  }
  if (params.algorithm === 'moving-average') checkLags(params, context);
  for (const option of OPTIONS) {
    if (params[option] === undefined || taken.includes(option)) continue;
    context.addIssue({
      code: 'custom',
      path: [option],
      message: `is not taken by ${params.algorithm} with engine ${params.engine}${
        taken.length === 0 ? '' : `; it takes: ${listed(taken, 20)}`
      }`,
      input: params[option],
    });
  }
}
