import { z } from 'zod';
import { checkPlacement, placement } from './container';
import { listed } from './errors';

export const ALGORITHMS = ['random-forest', 'extra-trees'] as const;
export type Algorithm = (typeof ALGORITHMS)[number];

export const ENGINES = ['ml-random-forest', 'histogram'] as const;
export type Engine = (typeof ENGINES)[number];

/** Which engine trains when params.yaml does not say. */
export const DEFAULT_ENGINE: Engine = 'ml-random-forest';

/** Options that only some trainers take: they have no default here, the trainer knows it. */
const forestOptions = {
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
    .describe('Rows that each side of a split must keep. Default: 1.'),
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
};

type Option = keyof typeof forestOptions;
const OPTIONS = Object.keys(forestOptions) as Option[];

/** Which of the options a trainer takes; undefined: there is no such trainer. */
const TAKEN: Record<Engine, Partial<Record<Algorithm, readonly Option[]>>> = {
  'ml-random-forest': { 'random-forest': [] },
  histogram: { 'random-forest': OPTIONS, 'extra-trees': OPTIONS },
};

export const TrainParams = z
  .strictObject({
    ...placement,
    algorithm: z.enum(ALGORITHMS).default('random-forest').describe('What to train.'),
    engine: z
      .enum(ENGINES)
      .default(DEFAULT_ENGINE)
      .describe(
        'Which implementation trains it: retrain’s own, on histograms and in threads, or the npm package ml-random-forest, for a few thousand rows.',
      ),
    n_estimators: z.int().min(1).max(10_000).default(100).describe('Number of trees.'),
    max_depth: z
      .int()
      .min(1)
      .max(64)
      .nullable()
      .default(null)
      .describe('Largest depth of a tree; null: grown until the leaves are pure.'),
    seed: z
      .int()
      .min(0)
      .max(0xffff_ffff)
      .default(42)
      .describe('Seed of the training: same data, params and seed give the same model bytes.'),
    ...forestOptions,
  })
  .superRefine(checkPlacement)
  .superRefine(checkTrainer);
export type TrainParams = z.infer<typeof TrainParams>;

interface Choice extends Partial<Record<Option, unknown>> {
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
