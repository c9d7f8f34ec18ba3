import { z } from 'zod';

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
}

/** Flat, finite numbers. */
export const Metrics = z.record(z.string(), z.number());
export type Metrics = z.infer<typeof Metrics>;

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
  train: 'train.csv',
  test: 'test.csv',
  /** `TableSchema`: features in order, target, classes. */
  schema: 'schema.json',
  model: 'model.onnx',
  championModel: 'champion.onnx',
  /** `ModelDescription` of the champion: which columns it takes. */
  championDescription: 'champion.json',
  /** `Evaluation`: metrics, per-class figures and confusion matrix of candidate and champion. */
  evaluation: 'evaluation.json',
} as const;

/** What preprocess learned about the table; everything after it goes by this. */
export const TableSchema = z.object({
  features: z
    .array(z.string())
    .min(1)
    .describe('Feature columns, in the order in which the model takes them.'),
  target: z.string(),
  classes: z
    .array(z.string())
    .min(2)
    .describe('Class labels, sorted by code point; the index is the class number.'),
  rows: z.object({ train: z.number().int(), test: z.number().int() }),
  /** First five training rows, `[k, d]`: the model’s input example. */
  example: z.array(z.array(z.number())),
});
export type TableSchema = z.infer<typeof TableSchema>;

/** What a registered model says of itself: enough to score it on another table with the same columns. */
export const ModelDescription = z.looseObject({
  features: z.array(z.string()).min(1),
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
});
export type Scores = z.infer<typeof Scores>;

/** Candidate and champion on the same held-out rows. */
export const Evaluation = z.object({
  candidate: Scores,
  /** Null: there is no champion, or it cannot be scored on these rows (then `championError` says why). */
  champion: Scores.nullable(),
  championError: z.string().nullable(),
  rows: z.number().int(),
});
export type Evaluation = z.infer<typeof Evaluation>;
