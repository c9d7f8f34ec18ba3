import { z } from 'zod';

const share = z.number().min(0).max(1);
const counts = z.array(z.number().min(0));

/** One column of the training rows beside the same column now; as `ml/drift` computes it. */
export const DriftedColumn = z.object({
  name: z.string(),
  kind: z.enum(['number', 'text']),
  /** Empty: nothing raised an alarm. */
  alarms: z.array(z.enum(['distribution', 'new values', 'missing'])),
  /** Population stability index over the bins of values; what is missing is told below. */
  stability: z.number(),
  /** Chance of such an index where nothing has drifted. */
  chance: share,
  /** Of numbers: in standard deviations of the training rows; null where these are all alike. */
  wasserstein: z.number().nullable(),
  /** Of texts. */
  jensenShannon: share.nullable(),
  /** Shares of the rows, and the chance of such a difference where nothing has drifted. */
  missing: z.object({ reference: share, current: share, chance: share }),
  /** Rows with values that the training rows never had. */
  strange: z.object({ rows: z.int().min(0), chance: share, levels: z.array(z.string()) }),
  /** Both over the same bins, of which the last is that of missing values. */
  bins: z.object({ bins: z.array(z.string()), reference: counts, current: counts }),
});
export type DriftedColumn = z.infer<typeof DriftedColumn>;

/** Why somebody is alarmed. The same cause has the same key in every check, by which it is told once. */
export const AlarmCause = z.object({
  /** `drift:age:distribution`, `drift:joint`, `drift:prediction`, `accuracy:live`, `accuracy:estimated`. */
  key: z.string().max(600),
  column: z.string().nullable(),
  /** One line: `age: distribution, PSI 0.41`. */
  title: z.string(),
  /** A sentence or two: what it was, what it is. */
  detail: z.string(),
  /** Rows of now that it is about. */
  rows: z.int().min(0),
});
export type AlarmCause = z.infer<typeof AlarmCause>;

/** What rows of now look like beside those that a model version was trained on. */
export const DriftReport = z.object({
  model: z.string(),
  modelVersion: z.string(),
  /** MLflow run that made the version. */
  mlflowRunId: z.string(),
  reference: z.object({
    /** That were looked at. */
    rows: z.int().min(0),
    /** All training rows; more than `rows` where a sample was taken, or those of the season. */
    of: z.int().min(0),
    /** The column whose values were matched, and how many it has now; null: not asked, or the training rows lack one of them. */
    season: z.object({ column: z.string(), values: z.int().min(0) }).nullable(),
  }),
  current: z.object({
    source: z.enum(['log', 'data']),
    /** Of a log: ISO 8601, from the first on and before the second. */
    window: z.object({ from: z.string(), to: z.string() }).nullable(),
    /** Of a table: its path in the project, and SHA-256. */
    data: z.object({ path: z.string(), hash: z.string() }).nullable(),
    /** That were looked at: a sample, where `of` is more. */
    rows: z.int().min(0),
    of: z.int().min(0),
  }),
  /** Chance that this check raises any alarm where nothing has drifted. */
  falseAlarms: share,
  /** Columns of the model that were not looked at, and why: `drift.exclude`, `not in the log`. */
  leftOut: z.array(z.object({ column: z.string(), why: z.string() })),
  /** What else its reader should know, a sentence each. */
  notes: z.array(z.string()),
  /** Fewer rows than `needed`: nothing below is said. */
  enough: z.boolean(),
  needed: z.int().min(0),
  /** Worst first. */
  columns: z.array(DriftedColumn),
  /** The model's own answers to both, likewise; null where it cannot be asked. */
  prediction: DriftedColumn.nullable(),
  /** How well a forest tells rows of now from training rows: 0.5 is not at all. Null: not asked. */
  joint: z
    .object({
      auc: share,
      /** Of the 95 % interval. */
      low: share,
      high: share,
      /** Chance of such an area where a forest could tell them no better than matters. */
      chance: share,
      alarm: z.boolean(),
      /** Those that tell most, at most five. */
      columns: z.array(z.string()),
    })
    .nullable(),
  /** Worst first; empty: no drift. */
  causes: z.array(AlarmCause),
});
export type DriftReport = z.infer<typeof DriftReport>;
