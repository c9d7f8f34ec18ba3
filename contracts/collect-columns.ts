import { z } from 'zod';

/** A calendar day, as files and sources are told of it. */
export const CollectDay = z
  .string()
  .regex(/^\d{4}-\d{2}-\d{2}$/, 'must be a day such as 2026-03-09')
  .refine(isDay, 'must be a day of the calendar such as 2026-03-09');

/** A place in JSON: RFC 6901. */
export const pointer = z
  .string()
  .max(500)
  .regex(/^(\/([^~]|~[01])*)?$/s, 'must be a JSON pointer such as /data/items');

/** What a cell may be: a `date` is 2026-03-09, a `time` 2026-03-09T12:00:00.000Z; in Parquet they have types of their own. */
export const CELL_TYPES = ['text', 'number', 'integer', 'boolean', 'date', 'time'] as const;
export type CellType = (typeof CELL_TYPES)[number];

export const CollectColumn = z
  .strictObject({
    type: z.enum(CELL_TYPES),
    required: z.boolean().default(true).describe('Whether a row without it, or with null there, is refused.'),
    min: z.union([z.number(), z.string().max(100)]).optional(),
    max: z.union([z.number(), z.string().max(100)]).optional(),
    one_of: z.array(z.string().max(1000)).min(1).max(1000).optional(),
    at: pointer.optional().describe('Where in the row, if not under its own name: /price/amount.'),
  })
  .superRefine(checkBounds);
export type CollectColumn = z.infer<typeof CollectColumn>;

/** Where a schema check leaves what is wrong. */
export interface Issues {
  addIssue(issue: { code: 'custom'; path: (string | number)[]; message: string; input: unknown }): void;
}

function isDay(text: string): boolean {
  const at = new Date(`${text}T00:00:00Z`);
  return !Number.isNaN(at.getTime()) && at.toISOString().startsWith(text);
}

function checkBounds(
  { type, min, max, one_of: oneOf }: z.output<typeof CollectColumn>,
  context: Issues,
): void {
  const expected =
    type === 'number' || type === 'integer'
      ? 'number'
      : type === 'date' || type === 'time'
        ? 'string'
        : undefined;
  for (const [key, bound] of [
    ['min', min],
    ['max', max],
  ] as const) {
    if (bound === undefined || typeof bound === expected) continue;
    const message =
      expected === undefined
        ? `is not for a column of type ${type}`
        : `must be a ${expected} in a column of type ${type}`;
    context.addIssue({ code: 'custom', path: [key], message, input: bound });
  }
  if (oneOf !== undefined && type !== 'text')
    context.addIssue({
      code: 'custom',
      path: ['one_of'],
      message: `is for columns of type text only`,
      input: oneOf,
    });
}
