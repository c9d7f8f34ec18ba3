import { z } from 'zod';
import { Comparison } from './comparison';
import { SignalRule, SIGNALS } from './signal';

/** A file or directory named by the hash of its content. For a directory: the hashes of its manifest. */
export const Artifact = z.object({
  name: z.string().describe('Name in the stage’s in/ or out/ folder.'),
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
  md5: z
    .string()
    .regex(/^[0-9a-f]{32}(\.dir)?$/)
    .describe('Key in the DVC cache layout.'),
  sizeBytes: z.number().int().min(0),
});
export type Artifact = z.infer<typeof Artifact>;

/** What a stage tells about its progress; travels in heartbeats. */
export interface StageProgress {
  /** A few words: `reading`, `growing trees`. */
  phase: string;
  done?: number;
  total?: number;
  /** First twelve characters of the id of the container that it runs in. */
  container?: string;
}

/** Flat, finite numbers. */
export const Metrics = z.record(z.string(), z.number());
export type Metrics = z.infer<typeof Metrics>;

/** One of them; a stage may have measured something that is named as what every object has, such as toString. */
export function metricOf(metrics: Metrics | null | undefined, name: string): number | undefined {
  return metrics != null && Object.hasOwn(metrics, name) ? metrics[name] : undefined;
}

/** What a stage leaves behind. */
export interface StageResult {
  outputs: Artifact[];
  metrics: Metrics;
  /** Compute time of the stage itself, in ms. */
  durationMs: number;
}

/** out/error.json of a stage that failed: the only way an error leaves a thread or a container. */
export const StageError = z.object({ code: z.string(), message: z.string(), stack: z.string().optional() });
export type StageError = z.infer<typeof StageError>;

/** Names of the files that the built-in stages exchange. */
export const ARTIFACT = {
  /** Raw data, file or directory. */
  data: 'data',
  train: 'train.parquet',
  test: 'test.parquet',
  /** `TableSchema`: features in order, target, classes. */
  schema: 'schema.json',
  /** `TableProfile` of what was read, and of the training rows: what a reader and drift look at. */
  profile: 'profile.json',
  /** Names of the training rows, see `SeenRowsHeader`: later models are compared with this one on other rows. */
  seenRows: 'seen-rows.bin',
  /** Columns of the held-out rows that name them and are not, or not exactly, in test.parquet; the target in any case. */
  testKeys: 'test-keys.parquet',
  /** When each training row was, in their order; without rows where no time orders them. */
  trainTimes: 'train-times.parquet',
  model: 'model.onnx',
  /** `TrainingNotes`: what the training learned beside the model. */
  training: 'training.json',
  /** train.parquet again, beside the model, where `train.keep_features` asks for it. */
  features: 'features.parquet',
  championModel: 'champion.onnx',
  /** `ModelDescription` of the champion: which columns it takes. */
  championDescription: 'champion.json',
  /** The champion's `seen-rows.bin`. */
  championSeenRows: 'champion-seen-rows.bin',
  /** `Evaluation`: metrics, per-class figures and confusion matrix of candidate and champion. */
  evaluation: 'evaluation.json',
  /** `SideBySide`: where the two do not say the same. Rows of the data are in it: it leaves the store in an evidence pack only. */
  sideBySide: 'side-by-side.json',
} as const;

/** Names of what a model gives: classes, with a probability each, or a number. No raw column can have such a name. */
export const MODEL_OUTPUT = {
  label: 'label',
  probabilities: 'probabilities',
  prediction: 'prediction',
} as const;

/**
 * One column of the raw rows that a model takes, and what is done to it, in this order, before the trees see it.
 * A number is clipped to `min` … `max`, then a missing one becomes `impute` (null: stays missing). A text becomes
 * one column of 0 and 1 per level (`one-hot`), or the index of its level (`ordinal`); a text that is missing or
 * was not among the training rows becomes zeros, or -1.
 */
export const InputColumn = z.discriminatedUnion('kind', [
  z.object({
    kind: z.literal('number'),
    name: z.string(),
    min: z.number().nullable(),
    max: z.number().nullable(),
    impute: z.number().nullable(),
  }),
  z.object({
    kind: z.literal('category'),
    name: z.string(),
    encoding: z.enum(['one-hot', 'ordinal']),
    levels: z.array(z.string()).describe('Levels of the training rows, sorted by code point.'),
  }),
]);
export type InputColumn = z.infer<typeof InputColumn>;

/** What any model must be better than, learned from the training rows; evaluation scores it beside the model. */
export const Baseline = z.discriminatedUnion('algorithm', [
  z.object({
    algorithm: z.literal('majority'),
    shares: z.array(z.number()).describe('Share of each class among the training rows.'),
  }),
  z.object({ algorithm: z.literal('mean'), value: z.number().describe('Mean of the training rows.') }),
  z.object({
    algorithm: z.literal('logistic-regression'),
    rows: z.number().int().describe('Training rows that it was fitted to.'),
    mean: z.array(z.number()),
    scale: z.array(z.number()),
    weights: z.array(z.number()),
    bias: z.array(z.number()),
  }),
  z.object({
    algorithm: z.literal('moving-average'),
    lags: z.array(z.string()).describe('Features that are averaged; one that is missing is left out.'),
    fallback: z.number().describe('What a row says that has none of them: the mean of the training rows.'),
  }),
]);
export type Baseline = z.infer<typeof Baseline>;

/** What preprocess learned about the table; everything after it goes by this. */
export const TableSchema = z.object({
  task: z.enum(['classification', 'regression']).optional().describe('Absent: classification.'),
  features: z
    .array(z.string())
    .min(1)
    .describe('Feature columns as the trees see them, in order: after encoding, `city=Oslo` for a level.'),
  inputs: z
    .array(InputColumn)
    .min(1)
    .optional()
    .describe('Columns of train.parquet and test.parquet, raw. Absent: the features, as they are.'),
  target: z.string(),
  classes: z
    .array(z.string())
    .describe('Class labels, sorted by code point; the index is the class number. Empty for regression.'),
  rows: z.object({ train: z.number().int(), test: z.number().int() }),
  /** First five training rows, prepared, `[k, d]`: the model’s input example. */
  example: z.array(z.array(z.number())),
  rawExample: z
    .array(z.array(z.union([z.number(), z.string(), z.null()])))
    .optional()
    .describe('The same rows raw, in the order of `inputs`; null where a value is missing.'),
  baselines: z.array(Baseline).optional(),
  time: z
    .object({
      column: z.string(),
      unit: z.enum(['day', 'number']).describe('day: train-times.parquet has days since 1970-01-01.'),
      gap: z.number().describe('Span before the first held-out row that no training row is in.'),
    })
    .optional()
    .describe('What a split by time went by.'),
});
export type TableSchema = z.infer<typeof TableSchema>;

/** How the training did in the past: a model at each cut-off, trained on what was before, scored on the window after. */
export const Backtest = z.object({
  unit: z.enum(['day', 'number']),
  window: z.number(),
  gap: z.number(),
  past: z.number().nullable().describe('How far back training rows went; null: all the way.'),
  asked: z
    .number()
    .int()
    .describe('Cut-offs that the params ask for; fewer are there where the rows do not reach so far.'),
  cutoffs: z
    .array(
      z.object({
        after: z.string().describe('The cut-off: the window is what is later …'),
        until: z.string().describe('… and no later than this.'),
        trainRows: z.number().int(),
        rows: z.number().int().describe('Rows in the window.'),
        metrics: Metrics,
        baselines: z.array(z.object({ algorithm: z.string(), metrics: Metrics })).max(10),
      }),
    )
    .max(1000),
});
export type Backtest = z.infer<typeof Backtest>;

/** What a training learned beside the model. */
export const TrainingNotes = z.object({
  /** Share of each feature in the impurity that the trees took away, in the features' order; they sum to 1. */
  importances: z.array(z.object({ feature: z.string(), importance: z.number() })).optional(),
  /** Accuracy or R² on the rows that were left out of each tree's sample. */
  oobScore: z.number().optional(),
  backtest: Backtest.optional(),
});
export type TrainingNotes = z.infer<typeof TrainingNotes>;

const ColumnProfile = z.discriminatedUnion('kind', [
  z.object({
    kind: z.literal('number'),
    name: z.string(),
    missing: z.number().int(),
    /** Null where every value is missing. */
    min: z.number().nullable(),
    max: z.number().nullable(),
    mean: z.number().nullable(),
    /** Of the sample, n - 1. */
    deviation: z.number().nullable(),
    /** Values below which 0, 1, 5, 10, 25, 50, 75, 90, 95, 99 and 100 % of the present ones lie. */
    quantiles: z.array(z.number()),
    /** Bins of equal width from min to max: how many values in each. */
    histogram: z.array(z.number().int()),
  }),
  z.object({
    kind: z.literal('text'),
    name: z.string(),
    missing: z.number().int(),
    distinct: z.number().int(),
    /** The most frequent values, at most 50. */
    top: z.array(z.object({ value: z.string(), rows: z.number().int() })),
  }),
]);
export type ColumnProfile = z.infer<typeof ColumnProfile>;

/** What speaks against trusting a result; `expect.leakage: refuse` makes an error of the kind `leakage`. */
export const DataWarning = z.object({
  kind: z.enum(['leakage', 'id', 'constant', 'rare-class', 'few-test-rows']),
  message: z.string().describe('One sentence.'),
});
export type DataWarning = z.infer<typeof DataWarning>;

/** What the rows look like that go into training and evaluation; later rows are held against it. */
export const TableProfile = z.object({
  warnings: z.array(DataWarning).optional(),
  notes: z
    .array(z.string())
    .optional()
    .describe('What was done to columns by itself (`preprocess.auto`), one sentence each.'),
  rows: z.number().int(),
  /** Rows that were read before equal ones were left out. */
  rowsRead: z.number().int(),
  target: z.string(),
  columns: z.array(ColumnProfile),
});
export type TableProfile = z.infer<typeof TableProfile>;

/** What a registered model says of itself: enough to score it on another table with the same columns. */
export const ModelDescription = z.looseObject({
  features: z.array(z.string()).min(1).describe('The columns that it takes, in order.'),
  classes: z.array(z.string()).default([]),
});
export type ModelDescription = z.infer<typeof ModelDescription>;

const Scores = z.object({
  metrics: Metrics,
  perClass: z.array(
    z.object({
      label: z.string(),
      precision: z.number(),
      recall: z.number(),
      f1: z.number(),
      support: z.number().int(),
    }),
  ),
  /** `[K, K]`, row = true class, column = predicted. */
  confusion: z.array(z.array(z.number().int())),
  /** Metric to [low, high]: bootstrap confidence intervals. */
  intervals: z.record(z.string(), z.tuple([z.number(), z.number()])).optional(),
  /** Per class with a curve (two classes: the positive one): at most 201 points each. */
  curves: z
    .array(
      z.object({
        label: z.string(),
        /** Points [false positive rate, recall]. */
        roc: z.array(z.tuple([z.number(), z.number()])),
        /** Points [recall, precision]. */
        precisionRecall: z.array(z.tuple([z.number(), z.number()])),
        calibration: z.array(
          z.object({ predicted: z.number(), observed: z.number(), rows: z.number().int() }),
        ),
      }),
    )
    .optional(),
  /** Regression: a sample of [true, predicted] pairs. */
  pairs: z.array(z.tuple([z.number(), z.number()])).optional(),
});
export type Scores = z.infer<typeof Scores>;

/** By how much a model gets worse when one raw column tells it nothing. */
export const PermutationImportances = z.object({
  metric: z
    .enum(['balanced_accuracy', 'r2'])
    .describe('What falls when the values of the column change places.'),
  rows: z.number().int().describe('Held-out rows, a sample.'),
  repeats: z.number().int().describe('How often each column was shuffled.'),
  columns: z.array(
    z.object({
      column: z.string(),
      mean: z.number(),
      interval: z
        .tuple([z.number(), z.number()])
        .optional()
        .describe(
          'By the bootstrap over the rows; absent: none was drawn, or the model does not look at the column.',
        ),
    }),
  ),
  leftOut: z.number().int().describe('Columns that the model looks at, too, and that were not shuffled.'),
});
export type PermutationImportances = z.infer<typeof PermutationImportances>;

/** The candidate on all held-out rows, and the champion on those that neither of the two was trained on. */
export const Evaluation = z.object({
  candidate: Scores,
  /** Null: there is no champion, no row is left for it, or it cannot be scored (then `championError` says why). */
  champion: Scores.nullable(),
  championError: z.string().nullable(),
  rows: z.number().int(),
  /** Both on the rows that neither was trained on. Absent: there is no champion, or the stage does not tell. */
  comparison: Comparison.optional(),
  /** What the model must be better than: by the name of the algorithm, on the same rows. */
  baselines: z.array(z.object({ algorithm: z.string(), scores: Scores })).optional(),
  /** Two classes: the one that curves and cut-offs are about. */
  positive: z.string().optional(),
  /** The candidate on parts of the rows: by level of a text, by quarter of a number. */
  slices: z
    .array(
      z.object({
        column: z.string(),
        /** `Oslo`, or `3.5 to 5.1`. */
        slice: z.string(),
        rows: z.number().int(),
        /** Accuracy, or the mean absolute error of a regression. */
        value: z.number(),
      }),
    )
    .optional(),
  /** What buy, hold and sell came to, where `evaluate.signal` asks for them. */
  signal: SignalRule.extend({
    rows: z.number().int().describe('Rows that got a signal.'),
    right: z.number().int().describe('Of those, rows whose true value says the same.'),
    signals: z
      .array(
        z.object({
          signal: z.enum(SIGNALS),
          rows: z.number().int().describe('How often it was said.'),
          came: z.number().int().describe('How often the true value said it.'),
          right: z.number().int().describe('How often both did.'),
          meanChange: z
            .number()
            .nullable()
            .describe('By what share the value really changed where it was said.'),
        }),
      )
      .max(SIGNALS.length),
  }).optional(),
  /** Permutation importance of raw columns: the candidate on held-out rows in which one column's values have changed places. */
  importances: PermutationImportances.optional(),
  /**
   * Cut-off of the positive class’s probability, as `evaluate.threshold` asks for it. The other figures are cross-fitted:
   * each fold of the held-out rows is judged by the cut-off that the other folds chose.
   */
  threshold: z
    .object({
      threshold: z.number(),
      precision: z.number(),
      recall: z.number(),
      f1: z.number(),
      truePositives: z.number().int(),
      falsePositives: z.number().int(),
      falseNegatives: z.number().int(),
      trueNegatives: z.number().int(),
    })
    .optional(),
});
export type Evaluation = z.infer<typeof Evaluation>;
