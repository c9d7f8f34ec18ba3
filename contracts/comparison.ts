import { z } from 'zod';

const Metrics = z.record(z.string(), z.number());

/** By how much the candidate differs from the champion in one metric: candidate minus champion. */
export const Difference = z.object({
  value: z.number(),
  draws: z
    .array(z.number())
    .describe(
      'The difference on bootstrap samples of the rows, rising; of more than 401, evenly spread ones. Empty: none were drawn.',
    ),
});
export type Difference = z.infer<typeof Difference>;

/** Both models on the rows with one value of a column. */
export const ComparedSlice = z.object({
  column: z.string(),
  slice: z.string().describe('The value, or a quarter of a number’s range.'),
  rows: z.number().int(),
  candidate: z.number().describe('Accuracy, or the mean absolute error of a regression.'),
  champion: z.number(),
});
export type ComparedSlice = z.infer<typeof ComparedSlice>;

/** Candidate and champion side by side on held-out rows that neither was trained on, as far as that can be told. */
export const Comparison = z.object({
  rows: z.number().int().describe('Rows that both were scored on.'),
  heldOut: z.number().int().describe('All held-out rows.'),
  seenByChampion: z
    .number()
    .int()
    .nullable()
    .describe('Held-out rows that are left out as the champion was trained on them; null: nobody knows.'),
  seenByCandidate: z
    .number()
    .int()
    .describe(
      'Further rows that are left out as equal ones were in the candidate’s training (a split by time).',
    ),
  unknown: z.string().nullable().describe('Why it is not known what the champion was trained on.'),
  candidate: Metrics.describe('On these rows; empty when there are none.'),
  champion: Metrics,
  differences: z.record(z.string(), Difference),
  slices: z.array(ComparedSlice),
  sliced: z.array(z.string()).describe('Columns whose values were looked at.'),
});
export type Comparison = z.infer<typeof Comparison>;
