import { z } from 'zod';
import { type Mistake, Problem } from './problem';

const Label = z.union([z.string(), z.number(), z.boolean()]);
const Row = z.record(z.string(), z.unknown()).describe('A row: the value of each column, by its name.');
const Cells = z.array(z.unknown());

/** What a class, or a number, is answered with. */
const Prediction = z.object({
  prediction: Label.describe(
    'The most probable class, in the type of the target’s own column; in a regression, the value.',
  ),
  probability: z.number().nullable().describe('Of the predicted class; null where the model gives none.'),
  probabilities: z.record(z.string(), z.number()).nullable().describe('By class.'),
});

const Cutoff = z
  .object({
    positive: Label.describe('The class that it is about.'),
    threshold: z
      .number()
      .describe('The least probability of that class at which the evaluation chose to answer it.'),
  })
  .nullable()
  .describe('The cut-off that the evaluation chose, where it chose one.');

const Answered = {
  model_name: z.string(),
  model_version: z.string().describe('Of the version that computed this answer.'),
  request_id: z.string().describe('By which the prediction log knows it, and POST /feedback names it.'),
};

const WithDecision = z.object({
  ...Prediction.shape,
  decision: Label.nullable().describe(
    'What the cut-off says; of a regression with a rule (evaluate.signal) buy, hold or sell; null where there is neither, or the model has other classes than two.',
  ),
});

export const OnePrediction = z.object({ ...WithDecision.shape, cutoff: Cutoff, ...Answered });
export const ManyPredictions = z.object({ predictions: z.array(WithDecision), cutoff: Cutoff, ...Answered });

export const FeedbackBody = z.strictObject({
  request_id: z.string().min(1).max(128).describe('Of the answer that this is the truth about.'),
  row: z.int().min(0).max(1_000_000).default(0).describe('Which of its rows, from 0.'),
  label: z
    .union([z.string().max(1000), z.number(), z.boolean()])
    .describe('What turned out to be true: the class, or the value.'),
});

export const FeedbackAnswer = z.object({
  request_id: z.string(),
  row: z.number(),
  accepted: z.literal(true),
});

const PredictMethod = z
  .looseObject({ predict_method: z.enum(['predict', 'predict_proba']).default('predict') })
  .prefault({});

const Split = z.looseObject({
  columns: z.array(z.union([z.string(), z.number()]).transform(String)),
  data: z.array(Cells),
  index: z.array(z.unknown()).optional(),
});
const RowsOrColumns = z.union([z.array(z.union([Row, Cells])), z.record(z.string(), Cells)]);

/** MLflow's scoring protocol: one of the four, and perhaps params. */
export const InvocationsBody = z.looseObject({
  dataframe_split: Split.optional().describe('A table as pandas writes it with orient="split".'),
  dataframe_records: z.array(Row).optional().describe('A table as pandas writes it with orient="records".'),
  instances: RowsOrColumns.optional().describe(
    'Rows, as mappings or as lists in the order of the signature.',
  ),
  inputs: z
    .union([z.array(z.union([Row, Cells])), z.record(z.string(), z.union([Cells, Label, z.null()]))])
    .optional()
    .describe('The same, or a list of cells for each column.'),
  params: PredictMethod.describe('predict_method: predict or predict_proba.'),
});
export type InvocationsBody = z.output<typeof InvocationsBody>;

export const InvocationsAnswer = z.object({ predictions: z.array(z.unknown()) });

export const Tensor = z.looseObject({
  name: z.string().max(500),
  shape: z.array(z.int().min(0).max(1_000_000)).min(1).max(2),
  datatype: z.enum([
    'BOOL',
    'INT8',
    'INT16',
    'INT32',
    'INT64',
    'UINT8',
    'UINT16',
    'UINT32',
    'UINT64',
    'FP16',
    'FP32',
    'FP64',
    'BYTES',
  ]),
  data: z.array(z.unknown()).describe('Row by row; nested lists are taken, too.'),
});

/** The Open Inference Protocol's request: a tensor for each column, or one for all of them. */
export const InferBody = z.looseObject({
  id: z.string().max(128).optional(),
  inputs: z.array(Tensor).min(1).max(10_000),
  outputs: z.array(z.looseObject({ name: z.string().max(500) })).optional(),
});

export const InferAnswer = z.object({
  model_name: z.string(),
  model_version: z.string(),
  id: z.string(),
  outputs: z.array(Tensor),
});

export const ProblemBody = z
  .object({
    type: z.string(),
    title: z.string(),
    status: z.int(),
    detail: z.string(),
    request_id: z.string(),
    errors: z
      .array(
        z.object({
          row: z.int().optional(),
          field: z.string(),
          seen: z.string().optional(),
          expected: z.string(),
        }),
      )
      .optional()
      .describe('Each field that is wrong, what it was and what it should be.'),
  })
  .describe('Problem details, RFC 9457.');

/** @throws Problem 422 that names each field that does not fit, up to a hundred */
export function parseBody<T extends z.ZodType>(schema: T, body: unknown): z.output<T> {
  const parsed = schema.safeParse(body);
  if (parsed.success) return parsed.data;
  const errors = parsed.error.issues.slice(0, 100).map(({ path, message }): Mistake => ({
    field: path.map((part) => String(part).slice(0, 100)).join('.'),
    expected: message.slice(0, 300),
  }));
  const first = errors[0];
  const where = first?.field ? `${first.field}: ` : '';
  throw new Problem(422, 'body', `${where}${first?.expected ?? 'the body does not fit its schema'}`, {
    errors,
  });
}
