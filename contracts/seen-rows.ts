import { z } from 'zod';

/** What the names of rows are made of. */
export const RowNaming = z.object({
  by: z.enum(['content', 'row_id', 'group']).describe('All that the model learns from, or chosen columns.'),
  columns: z.array(z.string()).min(1).describe('The columns, as they are called after renaming.'),
});
export type RowNaming = z.infer<typeof RowNaming>;

/** First line of seen-rows.bin, JSON; the names of the training rows follow. */
export const SeenRowsHeader = RowNaming.extend({
  format: z.literal('retrain-seen-rows'),
  version: z.literal(1),
  rows: z.int().min(0).describe('Training rows.'),
  names: z.int().min(0).describe('Different names among them.'),
  width: z.int().min(1).max(8).describe('Bytes of each step.'),
});
export type SeenRowsHeader = z.infer<typeof SeenRowsHeader>;
